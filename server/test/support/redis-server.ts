/**
 * Real Redis servers for tests: each on a free port, in a folder of its own, without
 * persistence unless asked, gone with the test that started it (and with the process at the
 * latest). `freeze` is the silent outage: the socket stays, nothing is answered.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { RedisAddress } from '../../src/stores/redis/connection.ts';
import type { Owner } from './afterwards.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { until } from './until.ts';

export interface RedisServerOptions {
  /** A free one unless given. */
  readonly port?: number;
  readonly password?: string;
  /** As `redis.conf` writes it: `1mb`. */
  readonly maxmemory?: string;
  readonly maxmemoryPolicy?: 'noeviction' | 'allkeys-lru';
  readonly appendonly?: boolean;
  /** Speaks TLS alone, with a certificate for `localhost` and 127.0.0.1. */
  readonly tls?: boolean;
  /** A file with all of its settings, in the place of the others here. */
  readonly configuration?: string;
  /** Watches others and keeps nothing. */
  readonly sentinel?: boolean;
  /** Further words of `redis.conf`. */
  readonly settings?: readonly string[];
}

export interface TestRedis {
  readonly port: number;
  readonly url: string;
  readonly address: RedisAddress;
  /** PEM of the authority; empty without TLS. */
  readonly ca: string;
  /** The folder of its files. */
  readonly folder: string;
  /** Runs a command by `redis-cli` and answers its text without the last line break. */
  cli(...words: readonly string[]): Promise<string>;
  /** Stops the process where it stands: it keeps its connections and answers nothing. */
  freeze(): void;
  thaw(): void;
  /** `kill -9`; harmless when it is gone already. */
  kill(): Promise<void>;
  /** Starts it again on the same port, in the same folder. */
  restart(): Promise<void>;
}

/** Whose end is the server's end: the context of a test, or `node:test` itself. */
const HOST = '127.0.0.1';
const START_MS = 20_000;
const STARTS = 5;
const run = promisify(execFile);

export async function startRedis(
  owner: Owner,
  options: RedisServerOptions = {},
): Promise<TestRedis> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-redis-'));
  const certificate = options.tls === true ? await makeCertificate(folder) : null;
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    try {
      const child = await launch(wordsOf(options, port, folder, certificate));
      const server = new LocalRedis(options, port, folder, certificate, child);
      owner.after(() => server.remove());
      return server;
    } catch (error) {
      if (attempt < STARTS && options.port === undefined && isTaken(error)) continue;
      await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && error.message.includes('in use');
}

/** The address of a server on this machine. */
export function localAddress(port: number): RedisAddress {
  return {
    place: { kind: 'standalone', host: HOST, port },
    ...{ username: null, password: null, database: 0, tls: null },
  };
}

/** A port that nobody listened on a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, HOST);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

class LocalRedis implements TestRedis {
  readonly port: number;
  readonly folder: string;
  readonly #options: RedisServerOptions;
  readonly #certificate: Certificate | null;
  #child: ChildProcess;

  constructor(
    options: RedisServerOptions,
    port: number,
    folder: string,
    certificate: Certificate | null,
    child: ChildProcess,
  ) {
    this.#options = options;
    this.port = port;
    this.folder = folder;
    this.#certificate = certificate;
    this.#child = child;
  }

  get url(): string {
    const { password } = this.#options;
    const credentials = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
    const scheme = this.#certificate === null ? 'redis' : 'rediss';
    return `${scheme}://${credentials}${HOST}:${this.port}`;
  }

  get address(): RedisAddress {
    const tls = this.#certificate === null ? null : { ca: this.ca };
    return { ...localAddress(this.port), password: this.#options.password ?? null, tls };
  }

  get ca(): string {
    return this.#certificate?.ca ?? '';
  }

  async cli(...words: readonly string[]): Promise<string> {
    const { password } = this.#options;
    const { stdout } = await run('redis-cli', [
      ...['-h', HOST, '-p', String(this.port), '--no-auth-warning'],
      ...(password === undefined ? [] : ['-a', password]),
      ...(this.#certificate === null ? [] : ['--tls', '--cacert', this.#certificate.caFile]),
      ...words,
    ]);
    return stdout.replace(/\n$/, '');
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  async kill(): Promise<void> {
    await stop(this.#child);
  }

  async restart(): Promise<void> {
    await this.kill();
    const words = wordsOf(this.#options, this.port, this.folder, this.#certificate);
    await until('the port is free again', async () => {
      this.#child = await launch(words).catch((error: Error) => {
        if (isTaken(error)) return this.#child;
        throw error;
      });
      return this.#child.exitCode === null && this.#child.signalCode === null;
    });
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function wordsOf(
  options: RedisServerOptions,
  port: number,
  folder: string,
  certificate: Certificate | null,
): readonly string[] {
  const { password, maxmemory, maxmemoryPolicy, appendonly = false, settings = [] } = options;
  const { configuration, sentinel = false } = options;
  if (configuration !== undefined) return [configuration, ...(sentinel ? ['--sentinel'] : [])];
  const plain = ['--port', certificate === null ? String(port) : '0'];
  const secure = certificate === null ? [] : ['--tls-port', String(port)];
  return [
    ...plain,
    ...secure,
    ...['--bind', HOST, '--dir', folder, '--save', '', '--appendonly', appendonly ? 'yes' : 'no'],
    ...(password === undefined ? [] : ['--requirepass', password]),
    ...(maxmemory === undefined ? [] : ['--maxmemory', maxmemory]),
    ...(maxmemoryPolicy === undefined ? [] : ['--maxmemory-policy', maxmemoryPolicy]),
    ...(certificate === null
      ? []
      : [
          ...['--tls-cert-file', certificate.certFile, '--tls-key-file', certificate.keyFile],
          ...['--tls-ca-cert-file', certificate.caFile, '--tls-auth-clients', 'no'],
        ]),
    ...settings,
  ];
}

/** Resolves when it accepts connections. */
async function launch(words: readonly string[]): Promise<ChildProcess> {
  const child = spawn('redis-server', words, { stdio: ['ignore', 'pipe', 'pipe'] });
  const end = () => child.kill('SIGKILL');
  process.once('exit', end);
  child.once('exit', () => process.off('exit', end));
  let said = '';
  const ready = new Promise<void>((resolve, reject) => {
    child.on('error', () => reject(new Error('no redis-server: apt-get install redis-server')));
    child.on('exit', (code) => {
      const reason = said.includes('in use') ? 'its port is in use' : said.slice(-500);
      reject(new Error(`redis-server ended with ${code}: ${reason}`));
    });
    child.stdout.on('data', (chunk) => {
      if (said.length < 10_000) said += chunk;
      if (said.includes('Ready to accept connections')) resolve();
      // A sentinel is ready without saying so.
      if (said.includes('Sentinel ID is')) resolve();
    });
    child.stderr.resume();
  });
  const timer = setTimeout(end, START_MS);
  try {
    await ready;
  } finally {
    clearTimeout(timer);
  }
  return child;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
