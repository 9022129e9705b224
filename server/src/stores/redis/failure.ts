/**
 * The one error of a shared store: what failed, in words that callers can act on. A caller
 * turns it into a miss, a local count or a refusal; it never reaches a client as it is.
 *
 * It judges an error once, where it is born: whether the server is ill (`counts`, the breaker's
 * business) or merely refused this command, as a full or read-only server does.
 */

export type RedisFailureKind =
  /** No answer within the wait allowed. */
  | 'timeout'
  /** The connection is not there, or broke while the command ran. */
  | 'disconnected'
  /** The breaker lets nothing pass; nothing was sent. */
  | 'breaker_open'
  /** The request has used up what it may wait for Redis; nothing was sent. */
  | 'wait_spent'
  /** The server does not take writes: full, read-only, or its disk fails. */
  | 'write_refused'
  /** The server answers that it cannot serve: loading, no primary, credentials. */
  | 'server_unavailable'
  /** Any other error it answered: a fault of the command. */
  | 'command_failed';

export class RedisFailure extends Error {
  readonly kind: RedisFailureKind;
  /** The operation as the caller named it. */
  readonly op: string;

  constructor(kind: RedisFailureKind, op: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'RedisFailure';
    this.kind = kind;
    this.op = op;
  }
}

const WRITE_REFUSED = /^(OOM|READONLY|MISCONF|NOREPLICAS)\b/;
const SERVER_UNAVAILABLE = /^(LOADING|MASTERDOWN|CLUSTERDOWN|NOAUTH|WRONGPASS|NOPERM|BUSY)\b/;

/** Words what the client library threw. */
export function asRedisFailure(op: string, thrown: unknown): RedisFailure {
  if (thrown instanceof RedisFailure) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new RedisFailure(kindOf(thrown, message), op, `${op}: ${message}`, thrown);
}

/** Whether a failure speaks against the server, so that its breaker counts it. */
export function counts(kind: RedisFailureKind): boolean {
  return kind === 'timeout' || kind === 'disconnected' || kind === 'server_unavailable';
}

/** Whether the command may have been carried out all the same, in whole or in part. */
export function mayBeDone({ kind }: RedisFailure): boolean {
  return kind === 'timeout' || kind === 'disconnected' || kind === 'command_failed';
}

function kindOf(thrown: unknown, message: string): RedisFailureKind {
  if (WRITE_REFUSED.test(message)) return 'write_refused';
  if (SERVER_UNAVAILABLE.test(message)) return 'server_unavailable';
  const isOurs = thrown instanceof TypeError || thrown instanceof RangeError;
  const isReply = thrown instanceof Error && thrown.name === 'ReplyError';
  return isReply || isOurs ? 'command_failed' : 'disconnected';
}
