/**
 * LiteLLM's way to say what is wanted of the cache: the member `cache` of the body, put into
 * our own terms and taken out of what providers see and keys are made of. Beside headers the
 * narrower word holds.
 *
 * A `cache` that holds none of LiteLLM's words is somebody else's, and passes like any member.
 */
import { type CacheControl, GatewayError } from '../gateway/index.ts';
import { isJsonObject, type JsonObject, type JsonValue, withoutMember } from '../kernel/json.ts';
import { namespaced } from './cache-aliases.ts';
import type { ParsedBody } from './parse-body.ts';

type Control = { -readonly [K in keyof CacheControl]: CacheControl[K] };
type Word = (control: Control, value: JsonValue, field: string) => void;

const MEMBER = 'cache';
const SECONDS_MAX = 999_999_999;

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  [
    'ttl',
    (control, value, field) => {
      control.ttlSeconds = narrower(control.ttlSeconds, seconds(value, field));
      control.optIn = true;
    },
  ],
  [
    's-maxage',
    (control, value, field) => {
      control.maxAgeSeconds = narrower(control.maxAgeSeconds, seconds(value, field));
    },
  ],
  [
    'no-cache',
    (control, value, field) => {
      if (yes(value, field)) control.noCache = true;
    },
  ],
  [
    'no-store',
    (control, value, field) => {
      if (yes(value, field)) control.noStore = true;
    },
  ],
  [
    'use-cache',
    (control, value, field) => {
      if (yes(value, field)) control.optIn = true;
    },
  ],
  [
    'namespace',
    (control, value, field) => {
      if (typeof value !== 'string') throw invalid(field, 'must be a string.');
      control.namespace += namespaced(field, value, (what) => invalid(field, what));
    },
  ],
]);

export interface TakenMember {
  readonly parsed: ParsedBody;
  readonly cacheControl: CacheControl;
}

/** Throws `invalid_request` for a word of the wrong kind; words it does not know are ignored. */
export function takeCacheMember(parsed: ParsedBody, asked: CacheControl): TakenMember {
  const said = Object.hasOwn(parsed.body, MEMBER) ? parsed.body[MEMBER] : undefined;
  if (said === undefined || !isJsonObject(said) || !isOurs(said)) {
    return { parsed, cacheControl: asked };
  }
  const control: Control = { ...asked };
  for (const [name, read] of WORDS) {
    const value = Object.hasOwn(said, name) ? said[name] : null;
    if (value !== undefined && value !== null) read(control, value, `${MEMBER}.${name}`);
  }
  const { [MEMBER]: _, ...body } = parsed.body;
  const rest = withoutMember(parsed.bytes, parsed.members, MEMBER);
  return { parsed: { ...rest, body }, cacheControl: control };
}

function isOurs(said: JsonObject): boolean {
  return Object.keys(said).some((name) => WORDS.has(name));
}

function seconds(value: JsonValue, field: string): number {
  const isWhole = typeof value === 'number' && Number.isInteger(value);
  if (isWhole && value >= 0 && value <= SECONDS_MAX) return value;
  throw invalid(field, 'must be a whole number of seconds.');
}

function yes(value: JsonValue, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw invalid(field, 'must be true or false.');
}

function narrower(asked: number | null, value: number): number {
  return Math.min(asked ?? value, value);
}

function invalid(field: string, what: string): GatewayError {
  return new GatewayError('invalid_request', { message: `${field} ${what}`, field });
}
