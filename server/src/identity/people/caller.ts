/**
 * Where a sign-in comes from, and the keyed hashes by which it is recognised again: neither an
 * address nor a program's name is stored as it is.
 */
import { createHmac } from 'node:crypto';
import { isIP } from 'node:net';

export interface Caller {
  /** null where it is unknown. */
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly requestId: string;
  /** The tenant whose host was called; null: the host names none. */
  readonly tenant: string | null;
}

export type HashText = (text: string) => string;

const HASH_LENGTH = 22;
/** An IPv6 customer has at least this much of the address to choose from. */
const IPV6_GROUPS = 4;

export function createTextHasher(key: Uint8Array): HashText {
  return (text) => createHmac('sha256', key).update(text).digest('base64url').slice(0, HASH_LENGTH);
}

/** What counts as one place: an IPv4 address, or the /64 of an IPv6 one. */
export function sourceOf({ address }: Caller): string {
  if (address === null) return 'unknown';
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (isIP(plain) !== 6) return plain;
  const [head = '', tail = ''] = plain.toLowerCase().split('%', 1)[0]?.split('::') ?? [];
  const before = head === '' ? [] : head.split(':');
  const after = tail === '' ? [] : tail.split(':');
  const gap = plain.includes('::') ? Math.max(0, 8 - before.length - after.length) : 0;
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after];
  return groups.slice(0, IPV6_GROUPS).join(':');
}

/** Tells two clients of one user apart. */
export function clientOf(caller: Caller, hash: HashText): string {
  return hash(`client\n${sourceOf(caller)}\n${caller.userAgent ?? ''}`);
}
