/**
 * Where the audit log is kept: rows that are only ever added, in one chain per installation.
 */

export type AuditOutcome = 'success' | 'failure';

export type AuditDetail = string | number | boolean | null | readonly string[];

/** Something that happened, as its place in the chain does not matter to it. */
export interface AuditEvent {
  /** Milliseconds since the epoch. */
  readonly atMs: number;
  readonly tenant: string;
  /** `usr_…`, `key_…`, or `anonymous`. */
  readonly actor: string;
  /** What was done: `keys.create`. */
  readonly action: string;
  /** To whom or what it was done. */
  readonly subject: string | null;
  readonly outcome: AuditOutcome;
  /** Where the request came from. */
  readonly address: string | null;
  readonly requestId: string | null;
  readonly details: Readonly<Record<string, AuditDetail>>;
}

export interface AuditEntry extends AuditEvent {
  /** From 1, without gaps. */
  readonly sequence: number;
  /** Over everything in the entry and the hash before it; hexadecimal. */
  readonly hash: string;
}

/** The hash of an event at this place of the chain. */
export type SealEvent = (event: AuditEvent, sequence: number, previousHash: string) => string;

export interface AuditHead {
  readonly sequence: number;
  readonly hash: string;
}

/** All methods throw `storage_unavailable` when the database does not answer in time. */
export interface AuditRepository {
  /** Adds the events in their order behind whatever any process added, or none of them. */
  append(events: readonly AuditEvent[], seal: SealEvent): Promise<void>;
  /** Newest first; null tenant means all of them. */
  list(filter: {
    readonly tenant: string | null;
    readonly limit: number;
    readonly before: number | null;
  }): Promise<readonly AuditEntry[]>;
  /** In the order of the chain, from behind `after`. */
  scan(after: number, limit: number): Promise<readonly AuditEntry[]>;
  head(): Promise<AuditHead>;
}
