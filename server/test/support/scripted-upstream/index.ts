/**
 * A provider over real sockets that does as it is told: a server on a free port of this machine
 * that answers like the built-in mock, with the same scripts in model names, and with every
 * fault that connections and bytes can have. It speaks OpenAI's wire, or the one it is given.
 *
 * It records each call and when each connection was closed and by whom, so that a test can show
 * that the gateway hung up, or that it never called.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.ts';
import { isJsonObject, parseJson } from '../../../src/kernel/json.ts';
import {
  MockProvider,
  type MockRequest,
  type MockResponse,
} from '../../../src/providers/mock/mock-provider.ts';
import { respondAsResponses } from '../scripted-responses/index.ts';
import { createSeededRandom } from '../seeded-random.ts';
import { until } from '../until.ts';
import { answerCall } from './answer-call.ts';
import type { Behaviour, RecordedCall, RecordedConnection } from './behaviour.ts';

export type { Behaviour, RecordedCall, RecordedConnection } from './behaviour.ts';

export interface ScriptedUpstream {
  /** To configure as a provider's base URL: `http://127.0.0.1:port/v1`. */
  readonly url: string;
  readonly port: number;
  /** Every call, in the order of arrival. */
  readonly calls: readonly RecordedCall[];
  readonly connections: readonly RecordedConnection[];
  /** What every call of a model gets from now on; a text stands for its options. */
  script(model: string, behaviour: Behaviour | string): void;
  /** What the next call gets, whatever its model; several are used up in order. */
  next(behaviour: Behaviour | string): void;
  callsOf(model: string): RecordedCall[];
  /** The `number`-th call, from 1 on, as soon as its request has arrived. */
  waitForCall(number: number, deadlineMs?: number): Promise<RecordedCall>;
  /** When the client closed the connection of a call, as soon as it has. */
  waitForClose(call: RecordedCall, deadlineMs?: number): Promise<number>;
  /** Stops listening and closes every connection: further ones are refused. */
  refuse(): Promise<void>;
  /** Listens again, on the same port. */
  accept(): Promise<void>;
  /** Forgets scripts and calls; connections stay. */
  forget(): void;
  close(): Promise<void>;
}

/** How calls of a wire are put to the mock, and its answers back into the wire. */
export interface ScriptedWire {
  /** In front of every path, and part of the base URL: `/v1`. */
  readonly prefix: string;
  respond(mock: MockProvider, request: MockRequest): MockResponse;
  /** The model a call is for, where its body does not name it. */
  modelOf?(path: string): string | null;
}

const OPENAI_WIRE: ScriptedWire = {
  prefix: '/v1',
  respond: (mock, request) =>
    request.path === '/responses' ? respondAsResponses(mock, request) : mock.respond(request),
};

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const SEED = 7;
const MAX_REQUEST_BYTES = 64 * 1024 * 1024;
const KEEP_ALIVE_MS = 60_000;

export async function startScriptedUpstream(
  wire: ScriptedWire = OPENAI_WIRE,
): Promise<ScriptedUpstream> {
  const upstream = new Upstream(wire);
  await upstream.listen(0);
  return upstream;
}

class Upstream implements ScriptedUpstream {
  readonly calls: Writable<RecordedCall>[] = [];
  readonly connections: Writable<RecordedConnection>[] = [];
  readonly #sockets = new Map<Socket, Writable<RecordedConnection>>();
  readonly #scripts = new Map<string, Behaviour>();
  readonly #queue: Behaviour[] = [];
  #mock = createMock();
  readonly #wire: ScriptedWire;
  #server: Server | null = null;
  #port = 0;

  constructor(wire: ScriptedWire) {
    this.#wire = wire;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}${this.#wire.prefix}`;
  }

  async listen(port: number): Promise<void> {
    const server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => response.destroy(error));
    });
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    server.on('connection', (socket) => this.#track(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', resolve);
    });
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
  }

  script(model: string, behaviour: Behaviour | string): void {
    this.#scripts.set(model, toBehaviour(behaviour));
  }

  next(behaviour: Behaviour | string): void {
    this.#queue.push(toBehaviour(behaviour));
  }

  callsOf(model: string): RecordedCall[] {
    return this.calls.filter((call) => call.model === model);
  }

  waitForCall(number: number, deadlineMs?: number): Promise<RecordedCall> {
    return until(`call ${number} arrives`, () => this.calls[number - 1], deadlineMs);
  }

  waitForClose(call: RecordedCall, deadlineMs?: number): Promise<number> {
    return until(`call ${call.number} is closed`, () => call.clientClosedMs, deadlineMs);
  }

  async refuse(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const [socket, connection] of this.#sockets) {
      connection.closedBy ??= 'server';
      socket.destroy();
    }
    await closed;
  }

  async accept(): Promise<void> {
    if (this.#server === null) await this.listen(this.#port);
  }

  forget(): void {
    this.calls.length = 0;
    this.#scripts.clear();
    this.#queue.length = 0;
    this.#mock = createMock();
  }

  close(): Promise<void> {
    return this.refuse();
  }

  #track(socket: Socket): void {
    const connection: Writable<RecordedConnection> = {
      id: this.connections.length + 1,
      openedMs: performance.now(),
      closedMs: null,
      closedBy: null,
    };
    this.connections.push(connection);
    this.#sockets.set(socket, connection);
    socket.setNoDelay(true);
    const byClient = (): void => {
      connection.closedBy ??= 'client';
      connection.closedMs ??= performance.now();
    };
    socket.on('end', byClient);
    socket.on('error', byClient);
    socket.on('close', () => {
      byClient();
      this.#sockets.delete(socket);
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    const { socket } = request;
    const connection = this.#sockets.get(socket);
    if (connection === undefined) return;
    const body = await readBody(request);
    const call = record(request, body, this.calls.length + 1, connection);
    call.model ??= this.#wire.modelOf?.(call.path) ?? null;
    this.calls.push(call);
    const leave = (): void => {
      if (connection.closedBy === 'client') call.clientClosedMs ??= connection.closedMs;
      gone.abort();
    };
    socket.once('end', leave);
    socket.once('close', leave);
    const behaviour = this.#queue.shift() ?? this.#scripts.get(call.model ?? '') ?? {};
    const { options } = behaviour;
    const { prefix } = this.#wire;
    const mock = this.#wire.respond(this.#mock, {
      path: call.path.startsWith(prefix) ? call.path.slice(prefix.length) : call.path,
      headers: headersOf(request),
      body,
      ...(options === undefined ? {} : { options }),
    });
    const closing = (): void => {
      connection.closedBy ??= 'server';
    };
    const answered = await answerCall({
      response,
      socket,
      behaviour,
      mock,
      gone: gone.signal,
      closing,
    });
    if (!answered) return;
    call.answeredMs = performance.now();
    socket.off('end', leave);
    socket.off('close', leave);
  }
}

function createMock(): MockProvider {
  return new MockProvider({
    clock: systemClock,
    random: createSeededRandom(SEED),
    connection: { firstTokenDelayMs: 0, tokenDelayMs: 0 },
  });
}

function toBehaviour(behaviour: Behaviour | string): Behaviour {
  return typeof behaviour === 'string' ? { options: behaviour } : behaviour;
}

function record(
  request: IncomingMessage,
  body: Buffer,
  number: number,
  connection: RecordedConnection,
): Writable<RecordedCall> {
  const json = parseJson(body.toString('utf8'));
  const model = isJsonObject(json) ? json.model : null;
  return {
    number,
    method: request.method ?? '',
    path: request.url ?? '',
    headers: request.headers,
    body,
    model: typeof model === 'string' ? model : null,
    connection,
    receivedMs: performance.now(),
    answeredMs: null,
    clientClosedMs: null,
  };
}

function headersOf({ headers }: IncomingMessage): Record<string, string> {
  const single: Record<string, string> = { authorization: '' };
  for (const [name, value] of Object.entries(headers)) single[name] = String(value ?? '');
  return single;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_REQUEST_BYTES) throw new Error('the request is larger than a test needs');
    parts.push(part);
  }
  return Buffer.concat(parts);
}
