/**
 * Clients of the driver, all made alike: bounded waits, and values as the repositories expect
 * them (64-bit integers as numbers, bytes as `Uint8Array`, texts as they were).
 */
import pg from 'pg';
import { ConnectError } from './sqlstate.ts';
import { original } from './text.ts';

export interface SessionLimits {
  /** The server ends a statement after this time; zero: never. */
  readonly statementMs: number;
  /** The server gives up waiting for a lock after this time; zero: never. */
  readonly lockMs: number;
  /** For a server that says nothing any more. */
  readonly silenceMs: number;
  readonly connectMs: number;
}

const OID_BYTEA = 17;
const OID_INT8 = 20;
const OID_TEXT = 25;
const OID_VARCHAR = 1043;
const OID_NUMERIC = 1700;

const textParsers = new Map<number, (value: string) => unknown>([
  [OID_INT8, wholeNumber],
  [OID_NUMERIC, Number],
  [OID_TEXT, original],
  [OID_VARCHAR, original],
  [OID_BYTEA, bytesOf],
]);

/**
 * How a client connects to `url` and what it may wait for. `isPooled`: the server is told in
 * each transaction, because a pooler takes no such settings for a session.
 */
export function clientConfig(
  url: string,
  name: string,
  limits: SessionLimits,
  isPooled = false,
): pg.ClientConfig {
  const { statementMs, lockMs, silenceMs, connectMs } = limits;
  return {
    connectionString: driverUrl(url),
    application_name: `esclusa ${name}`,
    connectionTimeoutMillis: connectMs,
    keepAlive: true,
    ...(!isPooled && { statement_timeout: statementMs, lock_timeout: lockMs }),
    ...(silenceMs > 0 && { query_timeout: silenceMs }),
    types: { getTypeParser },
  };
}

/** A connected client that never throws outside of a call. Throws `ConnectError`. */
export async function connect(config: pg.ClientConfig): Promise<pg.Client> {
  let client: pg.Client | null = null;
  try {
    client = new pg.Client(config); // reads the certificates that the address names
    client.on('error', () => undefined); // the next statement says the same
    await client.connect();
    return client;
  } catch (error) {
    if (client !== null) abandon(client);
    throw new ConnectError(error);
  }
}

/** Ends a connection without waiting for a server that may not answer. */
export function abandon(client: pg.ClientBase): void {
  const { connection, end } = client as unknown as DriverInside;
  end.call(client).catch(() => undefined);
  connection?.stream?.destroy();
}

interface DriverInside {
  readonly connection?: { readonly stream?: { destroy(): void } };
  end(): Promise<void>;
}

/** Addresses of other tools name a driver: `postgresql+asyncpg://…`. */
function driverUrl(url: string): string {
  return url.replace(/^postgres(ql)?(\+\w+)?:/, 'postgresql:');
}

function getTypeParser(oid: number, format?: 'text' | 'binary') {
  const parser = format === 'binary' ? undefined : textParsers.get(oid);
  return parser ?? pg.types.getTypeParser(oid, format as 'text');
}

function wholeNumber(value: string): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw new Error(`${value} is too large to count with`);
  return number;
}

function bytesOf(value: string): Uint8Array {
  const bytes = Buffer.from(value.slice(2), 'hex'); // the server's form is `\x…`
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
