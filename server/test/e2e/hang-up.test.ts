/**
 * Goal: a client that leaves stops the work done for it at once, pays for what was produced and
 * holds nothing any longer. Method: clients on bare sockets that vanish in every way a socket
 * can; the upstream over real sockets notes when its connection was closed.
 */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import type { Behaviour, ScriptedUpstream } from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';
import { ask } from './asking.ts';
import { type LedgerRow, rowsOf, type Surroundings, startSurroundings } from './surroundings.ts';

const PROMISED_MS = 100;
const PATIENT = { connect_ms: 1000, first_token_ms: 20_000, idle_ms: 20_000, total_ms: 60_000 };

let around: Surroundings;
let gateway: TestGateway;
let upstream: ScriptedUpstream;
/** A name of its own for each test, so that its rows are found. */
let model: string;
let tests = 0;

before(async () => {
  const target = { provider: 'sockets', model: 'mock' };
  const price = { input_usd_per_million: 1, output_usd_per_million: 2 };
  const alias = { targets: [target], price, max_output_tokens: 1000, timeouts: PATIENT };
  const names = Array.from({ length: 40 }, (_, number) => `alias-${number}`);
  around = await startSurroundings({
    models: {
      ...Object.fromEntries(names.map((name) => [name, alias])),
      retrying: { ...alias, retry: { attempts: 2, budget_ratio: 1 } },
    },
  });
  ({ gateway, upstream } = around);
});

after(() => around.close());

beforeEach(() => {
  upstream.forget();
  model = `alias-${tests}`;
  tests += 1;
});

interface HangingClient {
  readonly socket: Socket;
  received(): string;
}

interface Sending {
  readonly stream?: boolean;
  readonly key?: string;
  readonly model?: string;
  readonly temperature?: number;
  readonly seed?: number;
}

/** Sends a request on a socket of its own. */
function send({ key = ADMIN_KEY, ...fields }: Sending = {}): HangingClient {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const body = JSON.stringify({ model, messages, ...fields });
  const head = [
    'POST /v1/chat/completions HTTP/1.1',
    'host: test',
    `authorization: Bearer ${key}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
  ];
  return open(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function open(bytes: string): HangingClient {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
  let received = '';
  socket.on('data', (data) => {
    received += data.toString();
  });
  socket.on('error', () => undefined);
  socket.write(bytes);
  return { socket, received: () => received };
}

type Leaving = 'destroys its socket' | 'resets its connection' | 'closes its half';

/** Answers when it left, on the clock of the upstream's notes. */
function leave({ socket }: HangingClient, how: Leaving): number {
  if (how === 'destroys its socket') socket.destroy();
  else if (how === 'resets its connection') socket.resetAndDestroy();
  else socket.end();
  return performance.now();
}

async function inFlight(): Promise<number> {
  const { body } = await gateway.api('GET', '/metrics');
  return Number(/^esclusa_requests_in_flight (\d+)/m.exec(body)?.[1]);
}

function oneRow(name = model): Promise<LedgerRow> {
  return until(`a row of ${name}`, async () => (await rowsOf(gateway, name))[0]);
}

interface Moment {
  readonly name: string;
  readonly stream: boolean;
  readonly behaviour: Behaviour;
  /** What the client has received when it leaves. */
  readonly received: RegExp;
  /** `You wrote:` are ten characters, four to a token. */
  readonly outputTokens: number;
}

const MOMENTS: readonly Moment[] = [
  {
    name: 'before the first token',
    stream: true,
    behaviour: { silent: true },
    received: /^$/,
    outputTokens: 0,
  },
  {
    name: 'between head and first token',
    stream: true,
    behaviour: { options: 'ttft=30s' },
    received: /^$/,
    outputTokens: 0,
  },
  {
    name: 'after the first token',
    stream: true,
    behaviour: { options: 'stall=3' },
    received: /wrote:/,
    outputTokens: 3,
  },
  {
    name: 'while a plain answer is made',
    stream: false,
    behaviour: { silent: true },
    received: /^$/,
    outputTokens: 0,
  },
  {
    name: 'while a plain answer arrives',
    stream: false,
    behaviour: { options: 'stall=1' },
    received: /^$/,
    outputTokens: 0,
  },
];

const WAYS_TO_LEAVE: readonly Leaving[] = [
  'destroys its socket',
  'resets its connection',
  'closes its half',
];

for (const moment of MOMENTS) {
  for (const how of WAYS_TO_LEAVE) {
    test(`a client that ${how} ${moment.name} cancels the upstream within 100 ms`, async () => {
      upstream.next(moment.behaviour);
      const client = send({ stream: moment.stream });
      const call = await upstream.waitForCall(1);
      await until('the client has what it waits for', () =>
        moment.received.test(client.received()),
      );

      const leftMs = leave(client, how);
      const cancelledMs = (await upstream.waitForClose(call)) - leftMs;

      assert.ok(cancelledMs < PROMISED_MS, `took ${cancelledMs} ms`);
      const row = await oneRow();
      assert.deepEqual(
        [row.outcome, row.error_code, row.status],
        ['aborted', 'client_closed', 499],
      );
      assert.deepEqual(
        [row.usage.source, row.usage.output_tokens],
        ['estimated', moment.outputTokens],
      );
      assert.ok(row.usage.input_tokens > 0, 'the prompt was sent, and may be charged');
      const { input_tokens, output_tokens } = row.usage;
      assert.equal(row.cost_nanousd, 1000 * input_tokens + 2000 * output_tokens);
      assert.equal(await inFlight(), 0);
      client.socket.destroy();
    });
  }
}

test('a client that leaves gives its place among the concurrent ones back', async () => {
  const { secret } = await gateway.key({ limits: { concurrency: 1 } });
  upstream.next('stall=3');
  const client = send({ key: secret, stream: true });
  await upstream.waitForCall(1);
  const refused = await ask(gateway, { model, key: secret });
  leave(client, 'destroys its socket');
  const next = await until('the place is free', async () => {
    const asked = await ask(gateway, { model, key: secret });
    return asked.status === 200 ? asked : null;
  });

  assert.equal(refused.error?.code, 'concurrency_limited');
  assert.equal(next.row.outcome, 'completed');
});

test('a client that leaves gives back what was reserved, and pays what was produced', async () => {
  const budget = { limit_usd: '1', period: 'total' as const };
  const { id, secret } = await gateway.key({ budget });
  const figures = async () => {
    const { body } = await gateway.api('GET', '/api/v1/budgets');
    return body.data.find((state: { key_id: string }) => state.key_id === id);
  };
  upstream.next('stall=3');
  const client = send({ key: secret, stream: true });
  await until('text has come', () => client.received().includes('wrote:'));
  const during = await figures();
  leave(client, 'destroys its socket');
  const row = await oneRow();

  assert.ok(during.reserved_nanousd > 0);
  const afterwards = await figures();
  assert.equal(afterwards.reserved_nanousd, 0);
  assert.equal(afterwards.spent_nanousd, row.cost_nanousd);
  assert.ok((row.cost_nanousd ?? 0) > 0);
});

test('a client that leaves in the pause before a retry is not retried', async () => {
  upstream.script('mock', 'status=503,retry-after-ms=1000');
  const client = send({ model: 'retrying', stream: true });
  const call = await upstream.waitForCall(1);
  await until('the first attempt has failed', () => call.answeredMs);

  leave(client, 'destroys its socket');
  const row = await oneRow('retrying');

  assert.equal(row.outcome, 'aborted');
  assert.equal(await inFlight(), 0);
  assert.equal(upstream.calls.length, 1);
  assert.equal(row.cost_nanousd, 0, 'the provider refused, and nothing was produced');
});

test('a client that leaves within its own upload causes no call', async () => {
  const head = ['POST /v1/chat/completions HTTP/1.1', 'host: test', 'content-length: 1000'];
  head.push(`authorization: Bearer ${ADMIN_KEY}`, 'content-type: application/json');
  const client = open(`${head.join('\r\n')}\r\n\r\n{"model":`);
  const before = (await gateway.api('GET', '/api/v1/requests?limit=1')).body.data[0]?.id;
  leave(client, 'destroys its socket');
  const row = await until('a row', async () => {
    const [last] = (await gateway.api('GET', '/api/v1/requests?limit=1')).body.data;
    return last?.id === before ? null : (last as LedgerRow);
  });

  assert.deepEqual([row.outcome, row.error_code, row.attempts], ['aborted', 'client_closed', 0]);
  assert.equal(row.cost_nanousd, 0);
  assert.equal(upstream.calls.length, 0);
});

test('a hundred clients that vanish at once leave nothing running', async () => {
  upstream.script('mock', 'stall=3');
  const clients = Array.from({ length: 100 }, () => send({ stream: true }));
  await upstream.waitForCall(100);
  assert.equal(await inFlight(), 100);

  const leftMs = clients.map((client) => leave(client, 'destroys its socket'))[99] ?? 0;
  const closed = await Promise.all(upstream.calls.map((call) => upstream.waitForClose(call)));
  upstream.forget();
  const good = await ask(gateway, { model });

  assert.equal(good.status, 200);
  assert.ok(good.tookMs < 1000, `took ${good.tookMs} ms`);
  assert.ok(Math.max(...closed) - leftMs < 1500, `took ${Math.max(...closed) - leftMs} ms`);
  assert.equal(await inFlight(), 0);
});

/** Cacheable, and asked in one test only. */
function shareable() {
  return { temperature: 0, seed: tests };
}

test('a leader that leaves while a follower waits does not cancel their call', async () => {
  upstream.script('mock', { headDelayMs: 700 });
  const leader = send(shareable());
  const call = await upstream.waitForCall(1);
  const follower = ask(gateway, { model, body: shareable() });
  await until('both run', async () => (await inFlight()) === 2);
  leave(leader, 'destroys its socket');
  const asked = await follower;

  assert.equal(asked.status, 200);
  assert.deepEqual([asked.row.cache, asked.row.cost_nanousd], ['JOIN', 0]);
  assert.equal(upstream.calls.length, 1);
  assert.ok(call.answeredMs !== null && call.clientClosedMs === null);
  const paid = (await rowsOf(gateway, model)).filter((row) => (row.cost_nanousd ?? 0) > 0);
  assert.deepEqual(
    paid.map((row) => [row.cache, row.usage.source]),
    [['MISS', 'provider']],
  );
  assert.equal(await inFlight(), 0);
});

test('a call that leader and follower share is cancelled when both have left', async () => {
  upstream.script('mock', { silent: true });
  const leader = send(shareable());
  const call = await upstream.waitForCall(1);
  const follower = send(shareable());
  await until('both run', async () => (await inFlight()) === 2);

  leave(leader, 'destroys its socket');
  assert.equal(await inFlight(), 2, 'the leader stays, because the call is accounted to it');
  assert.equal(call.clientClosedMs, null);
  const leftMs = leave(follower, 'destroys its socket');
  const cancelledMs = (await upstream.waitForClose(call)) - leftMs;

  assert.ok(cancelledMs < PROMISED_MS, `took ${cancelledMs} ms`);
  assert.equal(upstream.calls.length, 1);
  await until('nothing runs', async () => (await inFlight()) === 0);
  const rows = await rowsOf(gateway, model);
  assert.deepEqual(
    rows.map((row) => row.outcome),
    ['aborted', 'aborted'],
  );
});

test('a follower that leaves disturbs neither the leader nor the call', async () => {
  upstream.script('mock', { headDelayMs: 700 });
  const leader = ask(gateway, { model, body: shareable() });
  await upstream.waitForCall(1);
  const follower = send(shareable());
  await until('both run', async () => (await inFlight()) === 2);
  leave(follower, 'destroys its socket');
  await until('the follower is booked', async () => (await rowsOf(gateway, model)).length === 1);
  const asked = await leader;

  assert.equal(asked.status, 200);
  assert.deepEqual([asked.row.cache, asked.row.outcome], ['MISS', 'completed']);
  assert.equal(upstream.calls.length, 1);
  const left = (await rowsOf(gateway, model)).filter(({ outcome }) => outcome === 'aborted');
  assert.deepEqual(
    left.map((row) => row.cost_nanousd),
    [0],
  );
});
