/**
 * Resolves the one host of a pool for its new connections: checks every address against the
 * policy, and hands exactly the checked addresses on to the socket, so that a name which
 * resolves differently a moment later (DNS rebinding) gains nothing.
 *
 * Invariants: at most one resolution is in flight, because each one holds one of the few
 * threads that all lookups and file operations of the process share; an answer is used for
 * `FRESH_MS`; one refused address refuses the name.
 */
import type { LookupAddress, LookupOptions } from 'node:dns';
import { lookup as systemLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { Clock } from '../kernel/clock.ts';
import type { AddressPolicy } from './address-policy.ts';

const FRESH_MS = 10_000;

/** Error code of a connection that the address policy forbids. */
export const ADDRESS_REFUSED = 'ESCLUSA_ADDRESS_REFUSED';

export type Resolve = (
  hostname: string,
  done: (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void,
) => void;

/** Where a lookup fails Node hands on no list at all, whatever its types say. */
export const systemResolve: Resolve = (hostname, done) => {
  systemLookup(hostname, { all: true }, (error, addresses) => {
    done(error, error === null ? addresses : []);
  });
};

export function addressRefused(): NodeJS.ErrnoException {
  return Object.assign(new Error('the address is not allowed'), { code: ADDRESS_REFUSED });
}

type Waiter = (error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]) => void;

/** `waiters` is bounded by the connections of the pool, which each wait once. */
export function createPinnedLookup(
  policy: AddressPolicy,
  clock: Clock,
  resolve: Resolve,
): LookupFunction {
  let fresh: { readonly addresses: readonly LookupAddress[]; readonly untilMs: number } | null =
    null;
  let waiters: Waiter[] = [];

  function settle(error: NodeJS.ErrnoException | null, addresses: readonly LookupAddress[]): void {
    const allowed = addresses.every((entry) => policy.allows(entry.address));
    const problem = error ?? (allowed ? null : addressRefused());
    fresh = problem === null ? { addresses, untilMs: clock.monotonicMs() + FRESH_MS } : null;
    const told = waiters;
    waiters = [];
    for (const waiter of told) waiter(problem, addresses);
  }

  return (hostname, options, callback) => {
    const answer: Waiter = (error, addresses) => reply(error, addresses, options, callback);
    if (fresh !== null && clock.monotonicMs() < fresh.untilMs) {
      const { addresses } = fresh;
      queueMicrotask(() => answer(null, addresses)); // a lookup never answers synchronously
      return;
    }
    waiters.push(answer);
    if (waiters.length === 1) resolve(hostname, settle);
  };
}

function reply(
  error: NodeJS.ErrnoException | null,
  addresses: readonly LookupAddress[],
  options: LookupOptions,
  callback: Parameters<LookupFunction>[2],
): void {
  const first = addresses[0];
  if (error !== null) {
    callback(error, '', 0);
  } else if (first === undefined) {
    callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '', 0);
  } else if (options.all === true) {
    callback(null, [...addresses]);
  } else {
    callback(null, first.address, first.family);
  }
}
