/**
 * Judges a provider's base URL when it is configured, before anything connects to it.
 *
 * Invariants: what is accepted is http or https, carries no credentials, query or fragment,
 * and comes back as the URL parser wrote it, so that everyone behind this check sees the same
 * host. A strict policy (addresses that tenants supply) also refuses spellings on which
 * parsers differ, unusual ports, and literal addresses outside the public internet.
 * Names are not resolved here: a name may change its mind, so its addresses are checked when
 * connecting (`pinned-lookup.ts`).
 */
import { isIP } from 'node:net';
import { type AddressPolicy, anyAddress, publicAddressesAnd } from './address-policy.ts';

export interface UrlPolicy {
  /** Refuses doubtful spellings. */
  readonly strict: boolean;
  /** null: any port. */
  readonly ports: readonly number[] | null;
  readonly addresses: AddressPolicy;
}

/** For the operator's own configuration: any host, loopback and private ones included. */
export const operatorUrlPolicy: UrlPolicy = { strict: false, ports: null, addresses: anyAddress };

const WEB_PORTS = [80, 443];

/** For addresses that tenants supply. `ranges` and `ports` are what the operator allows more. */
export function strictUrlPolicy(
  allow: { readonly ranges?: readonly string[]; readonly ports?: readonly number[] } = {},
): UrlPolicy {
  return {
    strict: true,
    ports: [...WEB_PORTS, ...(allow.ports ?? [])],
    addresses: publicAddressesAnd(allow.ranges ?? []),
  };
}

export type UrlVerdict =
  | { readonly ok: true; readonly url: URL }
  /** A sentence for the person who wrote the URL; never repeats the URL. */
  | { readonly ok: false; readonly problem: string };

/** Never throws. */
export function checkProviderUrl(text: string, policy: UrlPolicy): UrlVerdict {
  if (policy.strict) {
    const spelling = doubtfulSpelling(text);
    if (spelling !== null) return refused(spelling);
  }
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null) return refused('It is not a URL; write https://host/path.');
  const problem = shapeProblem(url, text) ?? placeProblem(url, policy);
  if (problem !== null) return refused(problem);
  url.pathname = url.pathname.replace(/\/+$/, '');
  return { ok: true, url };
}

function shapeProblem(url: URL, text: string): string | null {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    return 'Its scheme must be http or https.';
  }
  if (url.username !== '' || url.password !== '') {
    return 'It must not carry a user name or password; set the key in its own field.';
  }
  if (text.includes('#')) return 'It must not have a fragment (#…).';
  if (text.includes('?')) return 'It must not have a query (?…).';
  return null;
}

function placeProblem(url: URL, policy: UrlPolicy): string | null {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  if (policy.ports !== null && !policy.ports.includes(port)) {
    return `Port ${port} is not allowed; allowed are ${policy.ports.join(', ')}.`;
  }
  const address = literalAddress(url);
  if (address !== null && !policy.addresses.allows(address)) {
    return 'Its address is private or reserved, and not in a range the operator allows.';
  }
  if (policy.strict && address === null && url.hostname.endsWith('.')) {
    return 'Its host must not end in a dot.';
  }
  return null;
}

/** The host as an address when it is written as one, in any notation; null for a name. */
function literalAddress(url: URL): string | null {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  return isIP(host) === 0 ? null : host;
}

const VISIBLE_ASCII = /^[\x21-\x7e]*$/;

function doubtfulSpelling(text: string): string | null {
  if (!VISIBLE_ASCII.test(text)) {
    return 'It must be plain ASCII without spaces; write an international name as xn--….';
  }
  if (text.includes('\\')) return 'It must not contain a backslash.';
  if (text.includes('@')) return 'It must not contain an @.';
  if (/%2e|%2f|%5c|%00/i.test(text)) return 'It must not contain encoded separators.';
  return null;
}

function refused(problem: string): UrlVerdict {
  return { ok: false, problem };
}
