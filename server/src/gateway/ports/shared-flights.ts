/**
 * Calls in flight that several processes share, under a key that contains the tenant: one
 * process leads and writes down what it is given, the others follow what it writes.
 *
 * A process takes part once per key, whatever the number of its callers. A store that fails or
 * is slow leaves everyone alone: nothing here throws but the signal's reason, and no question
 * takes longer than a read of the shared cache.
 *
 * Invariants: there is at most one leader per key whose lease runs; what a leader writes is
 * read in order and without gaps; a leader that is gone is noticed when its lease has run out.
 */
import type { GatewayError } from '../model/errors.ts';
import type { Wire } from '../model/target.ts';

/** What the answer is, before its bytes. */
export interface FlightHead {
  readonly stream: boolean;
  readonly dialect: Wire;
  readonly contentType: string;
  readonly provider: string;
  readonly providerModel: string;
  /** Fields of the request that the provider could not be told; absent: none. */
  readonly dropped?: readonly string[];
}

export type FlightRecord =
  | { readonly kind: 'head'; readonly head: FlightHead }
  /** Complete events of a stream, or all of a plain answer. */
  | { readonly kind: 'piece'; readonly bytes: Buffer; readonly sequence: number | null }
  /** The answer is complete; the end marker of a stream. Nothing follows. */
  | { readonly kind: 'end'; readonly terminal: Buffer | null }
  /** The leader's call failed, for all or for the leader alone. Nothing follows. */
  | { readonly kind: 'failed'; readonly error: GatewayError };

/** The leader's side. Its lease is kept up until the flight is ended. */
export interface FlightLog {
  /** Resolves as soon as another process follows. */
  followed(): Promise<void>;
  /** Aborts when nobody follows any more, or the flight is not this process's any more. */
  watched(): AbortSignal;
  /**
   * Writes the next record; an `end` or `failed` one ends the flight. Resolves when the writer
   * may go on, to false where the record could not be written and nobody will read it.
   */
  append(record: FlightRecord): Promise<boolean>;
  /** Ends a flight that nobody follows; false: somebody does and has to be told. */
  release(): Promise<boolean>;
}

/** A follower's side. */
export interface FlightFeed {
  /**
   * What was written since the last time, as soon as there is something; null: there will be
   * nothing more, because the leader is gone, the beginning is not held any more, or the store
   * does not answer. Rejects with the signal's reason.
   */
  next(signal: AbortSignal): Promise<readonly FlightRecord[] | null>;
  /** Ends the following. Harmless when it has ended. */
  close(): void;
}

export type Entrance =
  /** There is an entry in the shared cache. */
  | { readonly kind: 'stored' }
  | { readonly kind: 'lead'; readonly log: FlightLog }
  | { readonly kind: 'follow'; readonly feed: FlightFeed }
  /** The store could not be asked; the call is nobody else's business. */
  | { readonly kind: 'alone' };

export interface SharedFlights {
  /**
   * Takes part in the call for a key: follows the one in flight, or leads. With `lookup` an
   * entry of the shared cache comes first. Never rejects.
   */
  enter(tenant: string, key: string, lookup: boolean): Promise<Entrance>;
}
