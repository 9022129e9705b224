/**
 * The whole program in this process, on a free port and in a folder of its own, as tests of
 * its outside use it. The configuration is given as an object and written as the file that an
 * operator would write.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { type RunningServer, startServer } from '../../src/app/start.ts';
import { systemFiles } from '../../src/config/index.ts';
import type { FaultPoints } from '../../src/kernel/fault.ts';

export const ADMIN_KEY = 'esk_test_admin_0123456789abcdefghijklmnopqrstu';

export interface GatewayOptions {
  /** What stands in `esclusa.yaml`. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly faults?: FaultPoints;
  /** An existing folder to start in again; left in place when the gateway is closed. */
  readonly folder?: string;
}

export interface NewKey {
  readonly name?: string;
  readonly tenant?: string;
  readonly models?: readonly string[];
  readonly expires_at?: string;
  readonly limits?: Readonly<Record<string, number>>;
  readonly budget?: { readonly limit_usd: string; readonly period: 'day' | 'month' | 'total' };
  readonly role?: string;
}

export interface TestGateway {
  readonly url: string;
  readonly folder: string;
  readonly server: RunningServer;
  /** Calls the control plane as the administrator (or with `key`) and reads the JSON. */
  api(method: string, path: string, body?: unknown, key?: string): Promise<ApiAnswer>;
  /** Makes a key and answers its id and secret. */
  key(options?: NewKey): Promise<{ readonly id: string; readonly secret: string }>;
  /** `POST /v1/chat/completions`, raw. */
  chat(body: unknown, key?: string, init?: RequestInit): Promise<Response>;
  /** Replaces the configuration file; it is applied before this resolves. */
  configure(config: Readonly<Record<string, unknown>>): Promise<void>;
  close(): Promise<void>;
}

export interface ApiAnswer {
  readonly status: number;
  /** Whatever the route answers; tests look into it. */
  readonly body: ReturnType<typeof JSON.parse>;
  readonly headers: Headers;
}

export async function startGateway(options: GatewayOptions = {}): Promise<TestGateway> {
  const folder = options.folder ?? (await mkdtemp(join(tmpdir(), 'esclusa-test-')));
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, stringify(options.config ?? {}));
  const env = {
    HOST: '127.0.0.1',
    PORT: '0',
    ESCLUSA_CONFIG: file,
    ESCLUSA_DATA_DIR: join(folder, 'data'),
    ESCLUSA_ADMIN_KEY: ADMIN_KEY,
    LOG_LEVEL: 'error',
    // Tests count the calls of upstreams; those about the start turn its checks on.
    ENABLE_STARTUP_VALIDATION: 'false',
    ...options.env,
  };
  const server = await startServer({
    sources: { env, files: systemFiles },
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  });
  const { url } = server;

  async function api(method: string, path: string, body?: unknown, key = ADMIN_KEY) {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') === true;
    const parsed: unknown = isJson ? JSON.parse(text) : text;
    return { status: response.status, body: parsed, headers: response.headers };
  }

  return {
    url,
    folder,
    server,
    api,
    async key(wanted = {}) {
      const answer = await api('POST', '/api/v1/keys', { name: 'test', ...wanted });
      if (answer.status !== 201) throw new Error(`no key: ${JSON.stringify(answer.body)}`);
      const { id, key } = answer.body as { readonly id: string; readonly key: string };
      return { id, secret: key };
    },
    chat: (body, key = ADMIN_KEY, init = {}) =>
      fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        ...init,
        headers: {
          authorization: `Bearer ${key}`,
          'content-type': 'application/json',
          ...(init.headers as Record<string, string> | undefined),
        },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      }),
    async configure(config) {
      await writeFile(file, stringify(config));
      await server.reload();
    },
    async close() {
      await server.close('now');
      if (options.folder === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
