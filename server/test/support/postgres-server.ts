/**
 * A real PostgreSQL of its own for a test: initialised in a temporary folder, on a free port of
 * the loopback, with the roles an installation has. It can be frozen, killed and started again.
 *
 * It is found on `PATH` or in `/usr/lib/postgresql`. The server refuses to run as root: there
 * it runs as the user `postgres`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import {
  findBinaries,
  freePort,
  HOST,
  isAlive,
  processFamily,
  send,
  serverUser,
} from './postgres-process.ts';
import { until } from './until.ts';

/** The addresses of a database, one for each role of an installation. */
export interface TestDatabase {
  readonly name: string;
  /** Owns the tables; for migrations. */
  readonly owner: string;
  /** What a server uses: neither superuser nor BYPASSRLS, and owner of nothing. */
  readonly runtime: string;
  /** Writes the ledger. */
  readonly writer: string;
}

export const ROLES = {
  owner: 'esclusa_owner',
  runtime: 'esclusa_app',
  writer: 'esclusa_writer',
} as const;

const PASSWORD = 'p%40ss/word of-tests';
const SETTINGS = [
  ...['fsync=off', 'full_page_writes=off', 'synchronous_commit=off', 'max_connections=100'],
  ...['shared_buffers=16MB', 'autovacuum=off', 'wal_level=minimal', 'max_wal_senders=0'],
];
const MAX_DUMP_BYTES = 64 * 1024 * 1024;
const START_MS = 30_000;
const TERMINATED = 143;

export class PostgresServer {
  readonly port: number;
  readonly #bin: string;
  readonly #folder: string;
  readonly #user = serverUser();
  #child: ChildProcess | null = null;
  #databases = 0;

  private constructor(port: number) {
    this.port = port;
    this.#bin = findBinaries();
    this.#folder = mkdtempSync(join(tmpdir(), 'esclusa-postgres-'));
    if (this.#user !== null) chownSync(this.#folder, this.#user.uid, this.#user.gid);
  }

  static async start(): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort());
    server.#initialise();
    process.once('exit', () => server.#abandon());
    // A run that is cut short must not leave a server behind.
    process.once('SIGTERM', () => process.exit(TERMINATED));
    await server.start();
    for (const role of Object.values(ROLES)) {
      await server.query('postgres', `create role ${role} login password '${PASSWORD}'`);
    }
    return server;
  }

  /** Makes an empty database, or a copy of `template`. */
  async createDatabase(template = 'template0'): Promise<TestDatabase> {
    this.#databases += 1;
    const name = `test_${this.#databases}`;
    const { owner } = ROLES;
    await this.query('postgres', `create database ${name} owner ${owner} template ${template}`);
    if (template === 'template0') await this.query(name, `alter schema public owner to ${owner}`);
    const secret = encodeURIComponent(PASSWORD);
    const url = (role: string) => `postgres://${role}:${secret}@${HOST}:${this.port}/${name}`;
    return {
      name,
      owner: url(ROLES.owner),
      runtime: url(ROLES.runtime),
      writer: url(ROLES.writer),
    };
  }

  /** Runs statements as superuser. */
  async query<Row extends pg.QueryResultRow>(
    database: string,
    sql: string,
    parameters?: unknown[],
  ): Promise<Row[]> {
    const client = await this.connect(database);
    try {
      return (await client.query<Row>(sql, parameters)).rows;
    } finally {
      await client.end();
    }
  }

  /** Everything in a database as text; bytes are hexadecimal digits. */
  dump(database: string): string {
    const args = ['-h', HOST, '-p', String(this.port), '-U', 'postgres', database];
    const maxBuffer = MAX_DUMP_BYTES;
    const program = join(findBinaries(['pg_dump']), 'pg_dump');
    return execFileSync(program, args, { maxBuffer, encoding: 'utf8' });
  }

  /** A connection of the superuser, to hold locks with. */
  async connect(database: string): Promise<pg.Client> {
    const client = new pg.Client({ host: HOST, port: this.port, user: 'postgres', database });
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** Ends all connections of other users; answers how many. */
  async terminateBackends(): Promise<number> {
    const ended = await this.query(
      'postgres',
      "select pg_terminate_backend(pid) from pg_stat_activity where usename <> 'postgres'",
    );
    return ended.length;
  }

  /** Ends connections while this process stands still, so that it cannot notice. */
  terminateUnnoticed(pids: readonly number[]): void {
    send(pids, 'SIGTERM');
    const still = new Int32Array(new SharedArrayBuffer(4));
    for (let tries = 0; pids.some(isAlive) && tries < 1000; tries += 1)
      Atomics.wait(still, 0, 0, 5);
  }

  /** Holds the postmaster and its children where they are: they say nothing any more. */
  freeze(): void {
    send(processFamily(this.#child?.pid ?? 0), 'SIGSTOP');
  }

  thaw(): void {
    send(processFamily(this.#child?.pid ?? 0), 'SIGCONT');
  }

  /** `kill -9` of the postmaster; its children end with it. */
  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  /** Also after `kill`, when the old lock file may refuse a start for a moment. */
  async start(): Promise<void> {
    await until('PostgreSQL to answer', () => this.#tryStart(), START_MS);
  }

  async stop(): Promise<void> {
    await this.#end('SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #abandon(): void {
    if (!isRunning(this.#child)) return;
    this.#child?.kill('SIGKILL');
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
  }

  #initialise(): void {
    const args = [
      ...['-D', join(this.#folder, 'data'), '-U', 'postgres', '--auth=trust', '--no-sync'],
      ...['--no-instructions', '--locale=C.UTF-8', '-E', 'UTF8'],
    ];
    const where = { ...this.#user, cwd: this.#folder, stdio: 'pipe' } as const;
    execFileSync(join(this.#bin, 'initdb'), args, where);
  }

  async #tryStart(): Promise<boolean> {
    if (!isRunning(this.#child)) this.#child = this.#spawn();
    try {
      await this.query('postgres', 'select 1');
      return true;
    } catch {
      return false;
    }
  }

  #spawn(): ChildProcess {
    const args = [
      ...['-D', join(this.#folder, 'data'), '-p', String(this.port), '-k', this.#folder],
      ...['-c', `listen_addresses=${HOST}`, ...SETTINGS.flatMap((each) => ['-c', each])],
    ];
    const where = { ...this.#user, cwd: this.#folder, stdio: 'ignore' } as const;
    return spawn(join(this.#bin, 'postgres'), args, where);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === null || !isRunning(child)) return;
    const family = processFamily(child.pid ?? 0);
    const gone = once(child, 'exit');
    child.kill(signal);
    send(family, 'SIGCONT');
    await gone;
    await until('the children of PostgreSQL to end', () => family.every((pid) => !isAlive(pid)));
  }
}

function isRunning(child: ChildProcess | null): boolean {
  return child !== null && child.exitCode === null && child.signalCode === null;
}
