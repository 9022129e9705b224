/**
 * What PostgreSQL's states and the driver's errors mean to us, decided once. A state's first
 * two characters are its class.
 */
import { GatewayError } from '../../../gateway/model/errors.ts';
import { ConstraintError } from '../../engine.ts';
import type { Failure } from '../thread/protocol.ts';

/**
 * - `lost`: the connection is gone, and with it what was not committed.
 * - `conflict`: the whole transaction may succeed when it is run again.
 * - `slow`: the statement took longer than it may.
 * - `refused`: the server works, but not for this now (full, read-only, locked, no rights).
 * - `data`: it refuses the values for their own sake.
 */
export type Trouble =
  | 'lost'
  | 'conflict'
  | 'slow'
  | 'refused'
  | 'unique'
  | 'foreign_key'
  | 'constraint'
  | 'data'
  | 'statement'
  | 'ours';

/**
 * No connection came about: the server's fault or that of the way to it, whatever was said, and
 * never of what was to be sent.
 */
export class ConnectError extends Error {
  constructor(cause: unknown) {
    super(reasonOf(cause), { cause });
    this.name = 'ConnectError';
  }
}

const STATES: ReadonlyMap<string, Trouble> = new Map([
  ['40001', 'conflict'], // serialization failure
  ['40P01', 'conflict'], // deadlock
  ['57014', 'slow'], // canceled, by the statement timeout
  ['23505', 'unique'],
  ['23503', 'foreign_key'],
  ['23502', 'statement'], // a column that a newer program may leave out, and we do not know
  ['53300', 'lost'], // too many connections
  ['42501', 'refused'], // no privilege
]);

const CLASSES: ReadonlyMap<string, Trouble> = new Map([
  ['08', 'lost'], // connection exception
  ['22', 'data'],
  ['23', 'constraint'],
  ['25', 'refused'], // among them: read-only
  ['28', 'refused'], // authorization
  ['3D', 'refused'], // no such database
  ['40', 'conflict'],
  ['42', 'statement'],
  ['53', 'refused'], // no resources: disk, memory
  ['54', 'data'],
  ['55', 'refused'], // among them: lock not available
  ['57', 'lost'], // ended by the operator, starting up
  ['58', 'refused'],
  ['XX', 'refused'],
]);

const CHECK_VIOLATION = '23514';
const STATE = /^[0-9A-Z]{5}$/;
const SYSTEM_CODE = /^E[A-Z_]{3,}$/;
const DRIVER_LOST = new RegExp(
  '^(Connection terminated|Client has encountered a connection error|Client was closed|' +
    'timeout expired|timeout exceeded when trying to connect)',
);
const DRIVER_SLOW = /^Query read timeout$/;

export function troubleOf(error: unknown): Trouble {
  if (error instanceof ConnectError) return troubleOf(error.cause) === 'lost' ? 'lost' : 'refused';
  if (!(error instanceof Error)) return 'ours';
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === CHECK_VIOLATION && lacksRule(error)) return 'statement';
  if (STATE.test(code)) return STATES.get(code) ?? CLASSES.get(code.slice(0, 2)) ?? 'statement';
  if (SYSTEM_CODE.test(code) || DRIVER_LOST.test(error.message)) return 'lost';
  return DRIVER_SLOW.test(error.message) ? 'slow' : 'ours';
}

/** A table without a place for the row: its partitions are at fault. */
function lacksRule(error: Error): boolean {
  return !('constraint' in error) || error.constraint === undefined;
}

/** Of several addresses that were tried only the code says why. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  return thrown.message === '' && 'code' in thrown ? String(thrown.code) : thrown.message;
}

/** The connection cannot be trusted with another statement. */
export function endsConnection(error: unknown): boolean {
  const isDriversTimeout = error instanceof Error && DRIVER_SLOW.test(error.message);
  return isDriversTimeout || troubleOf(error) === 'lost';
}

const KINDS: Readonly<Record<Trouble, Failure['kind']>> = {
  lost: 'unavailable',
  conflict: 'unavailable',
  slow: 'unavailable',
  refused: 'unavailable',
  unique: 'unique',
  foreign_key: 'foreign_key',
  constraint: 'constraint',
  data: 'broken',
  statement: 'broken',
  ours: 'broken',
};

export function failureOf(thrown: unknown): Failure {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { message, kind: KINDS[troubleOf(thrown)] };
}

/** The coded error for what the driver threw; errors of our own pass as they are. */
export function codedError(thrown: unknown): Error {
  if (thrown instanceof GatewayError || thrown instanceof ConstraintError) return thrown;
  const { message, kind } = failureOf(thrown);
  switch (kind) {
    case 'unavailable':
      return new GatewayError('storage_unavailable', { cause: thrown });
    case 'unique':
    case 'foreign_key':
      return new ConstraintError(kind, message);
    case 'constraint':
      return new ConstraintError('other', message);
    case 'broken':
      return thrown instanceof Error && troubleOf(thrown) === 'ours'
        ? thrown
        : new Error(`database: ${message}`, { cause: thrown });
  }
}
