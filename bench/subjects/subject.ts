/**
 * What can be measured: a variant by name, how it is started, and what a call to it looks like.
 * Each start is a fresh process with nothing left over from the one before.
 */
import type { Stage } from '../stage.ts';

/** Where an answer comes from, and how many workers give it. */
/** What data and counters are on. */
export type EngineId = 'file' | 'shared' | 'unpooled';

export type TierId = `${'miss' | 'memory' | 'redis'}-${1 | 3}`;

export type VariantId =
  | 'direct'
  | 'pass-through'
  | 'portkey'
  | 'proxy-only'
  | 'auth-limits'
  | 'ledger'
  | 'cache-hit'
  | TierId
  | EngineId;

export interface Variant {
  readonly id: VariantId;
  readonly label: string;
  start(stage: Stage): Promise<Subject>;
}

export interface Subject {
  /** null: there is none, the generator calls the upstream. */
  readonly pid: number | null;
  readonly origin: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Answers come from the subject's cache: the same body each time, the upstream sees none. */
  readonly isCached: boolean;
  /** So many different bodies, by turns; absent: one where it is cached, else ever new ones. */
  readonly bodies?: number;
  /** Of the Redis behind it. */
  readonly redisPid?: number;
  /** Given the headers of an answer to a first call; throws where a claim does not hold. */
  verify(answerHeaders: Readonly<Record<string, unknown>>): Promise<void>;
  stop(): Promise<void>;
}

/** A variant that cannot be measured on this machine; the run goes on without it. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}
