/**
 * How other gateways' clients say what they want of the cache, in headers, put into our own
 * terms, so that they need not be changed; and what a header of ours means for the cache.
 *
 * A namespace or a key of theirs is an addition to the scope that we take: it keeps answers
 * apart, and never brings them together. A time to live can only shorten ours.
 */
import { type CacheControl, GatewayError } from '../gateway/index.ts';

type Control = { -readonly [K in keyof CacheControl]: CacheControl[K] };
type Alias = (control: Control, value: string, header: string) => void;

const NAMESPACE_MAX = 256;
const YES = /^(?:true|1|yes|on)$/i;
const SECONDS = /^(\d{1,9})s?$/i;

const refresh: Alias = (control, value) => {
  if (YES.test(value)) control.noCache = true;
};

const noStore: Alias = (control, value) => {
  if (YES.test(value)) control.noStore = true;
};

const namespace: Alias = (control, value, header) => {
  control.namespace += namespaced(header, value, (what) => invalid(header, what));
};

const timeToLive: Alias = (control, value, header) => {
  const seconds = SECONDS.exec(value)?.[1];
  if (seconds === undefined) throw invalid(header, 'takes a whole number of seconds.');
  control.ttlSeconds = Number(seconds);
  control.optIn = true;
};

/** Asked for by name; said no to, the cache is not used. */
const enabled: Alias = (control, value) => {
  if (YES.test(value)) control.optIn = true;
  else control.noStore = true;
};

/** Who wants the first target's answer or none is not given that of another out of the cache. */
const noFallback: Alias = (control, value) => {
  if (YES.test(value)) control.namespace += JSON.stringify(['x-no-fallback']);
};

const ALIASES: ReadonlyMap<string, Alias> = new Map([
  ['x-no-cache', refresh],
  ['x-no-fallback', noFallback],
  ['x-portkey-cache-force-refresh', refresh],
  ['cf-aig-skip-cache', refresh],
  ['x-bf-cache-no-store', noStore],
  ['helicone-cache-enabled', enabled],
  ['cf-aig-cache-ttl', timeToLive],
  ['x-bf-cache-ttl', timeToLive],
  ['cf-aig-cache-key', namespace],
  ['helicone-cache-seed', namespace],
  ['x-bf-cache-key', namespace],
  ['x-portkey-cache-namespace', namespace],
]);

/** What a word called `name` adds to the namespace; throws what `refuse` makes. */
export function namespaced(
  name: string,
  value: string,
  refuse: (what: string) => GatewayError,
): string {
  if (value.length > NAMESPACE_MAX) throw refuse(`takes at most ${NAMESPACE_MAX} characters.`);
  return value === '' ? '' : JSON.stringify([name, value]);
}

/** True for a header that says something of the cache beside the standard one. */
export function isCacheAlias(header: string): boolean {
  return ALIASES.has(header);
}

/**
 * What `asked` and the aliases say together; the order of the headers does not matter. Throws
 * `header_invalid`.
 */
export function withAliases(
  asked: CacheControl,
  aliases: ReadonlyMap<string, string>,
): CacheControl {
  const control: Control = { ...asked };
  for (const [header, read] of ALIASES) {
    const value = aliases.get(header);
    if (value !== undefined) read(control, value.trim(), header);
  }
  return control;
}

function invalid(header: string, what: string): GatewayError {
  return new GatewayError('header_invalid', { message: `${header} ${what}`, field: header });
}
