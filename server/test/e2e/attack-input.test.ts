/**
 * Goal: hostile input is refused or taken at little cost, and writes nothing it should not
 * (attacks F1, F2, F3, F4 and F5).
 * Method: the whole program in this process; what it costs is told by the processor time of
 * this thread, per request and per turn of the event loop: a busy machine adds nothing to it.
 * The log is that of a process of its own, read line by line.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { operationsOf } from '../support/random-walk/operations.ts';
import { sendRaw } from '../support/raw-http.ts';

const MIB = 1 << 20;
const CPU_MS_MAX = 200;
const TURN_MS_P99 = 50;
/** A machine that takes longer to read JSON by itself may take longer, so many times as long. */
const PARSES_MAX = 3;
const ROUNDS = 3;

let gateway: TestGateway;
before(async () => {
  gateway = await startGateway();
});
after(() => gateway.close());

/** Processor time of this thread in milliseconds: the client's share is counted, too. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

interface Cost {
  readonly status: number;
  readonly cpuMs: number;
  readonly p99Ms: number;
}

/** What a request costs, and what the 99th percentile of the turns of the loop takes meanwhile. */
async function costOf(ask: () => Promise<{ readonly status: number }>): Promise<Cost> {
  const turns: number[] = [];
  let isRunning = true;
  let last = cpuMs();
  const turn = (): void => {
    const now = cpuMs();
    turns.push(now - last);
    last = now;
    if (isRunning) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  const begun = cpuMs();
  const { status } = await ask();
  const spent = cpuMs() - begun;
  isRunning = false;
  turn();
  turns.sort((a, b) => a - b);
  return { status, cpuMs: spent, p99Ms: turns[Math.ceil(turns.length * 0.99) - 1] ?? 0 };
}

/** The cheapest of some rounds: the first compile, and some collect what others left. */
async function cheapest(ask: () => Promise<{ readonly status: number }>): Promise<Cost> {
  const costs: Cost[] = [];
  for (let round = 0; round < ROUNDS; round += 1) costs.push(await costOf(ask));
  const least = (name: 'cpuMs' | 'p99Ms') => Math.min(...costs.map((cost) => cost[name]));
  return { status: costs[0]?.status ?? 0, cpuMs: least('cpuMs'), p99Ms: least('p99Ms') };
}

/** What the language itself takes to read an object; nothing for what is none. */
function parsing(body: string): number {
  if (!body.startsWith('{')) return 0;
  const costs = Array.from({ length: ROUNDS }, () => {
    const begun = cpuMs();
    try {
      JSON.parse(body);
    } catch {
      // What it took is what is asked.
    }
    return cpuMs() - begun;
  });
  return Math.min(...costs);
}

const filled = (piece: string): string => piece.repeat(Math.floor((MIB * 0.95) / piece.length));
const messages = (content: string) => JSON.stringify([{ role: 'user', content }]);
const said = (piece: string) => inChat(`[{"role":"user","content":"${filled(piece)}"}]`);
const inChat = (value: string) => `{"model":"mock","messages":${value}}`;

/** A mebibyte each, of what makes parsers, searchers and hashes slow. */
const HOSTILE: Readonly<Record<string, string>> = {
  'one long text': inChat(messages(filled('a'))),
  'a text that patterns stumble over': inChat(messages(`${filled('a')}!`)),
  'spaces without end': inChat(messages(`${filled(' \t')}x`)),
  'what looks like keys': inChat(messages(filled('sk-proj-'))),
  'what looks like addresses': inChat(messages(filled('a@a.'))),
  'what looks like cards': inChat(messages(filled('4111 '))),
  'quotes and escapes': said('\\"'),
  'surrogates alone': said('\\ud800'),
  'zero bytes': said('\\u0000'),
  'many messages': inChat(
    `[${filled('{"role":"user","content":"x"},')}{"role":"user","content":"x"}]`,
  ),
  'many members': `{${Array.from({ length: 60_000 }, (_, at) => `"m${at}":${at}`).join()}}`,
  'the same member again': `{${filled('"model":"mock",')}"messages":[]}`,
  'members of a prototype': `{${filled('"__proto__":{},')}"model":"mock"}`,
  'lists in lists': filled('['),
  'objects in objects': filled('{"a":'),
  'a number of many digits': inChat(filled('9')),
  'many tools': `{"model":"mock","messages":${messages('x')},"tools":[${filled(
    '{"type":"function","function":{"name":"f"}},',
  )}null]}`,
};

const REQUEST_PATHS = ['/v1/chat/completions', '/v1/messages', '/v1/responses'];

describe('a mebibyte of hostile input (F1)', () => {
  for (const [name, body] of Object.entries(HOSTILE)) {
    it(`costs no more than ${CPU_MS_MAX} ms of processor: ${name}`, async (t) => {
      const parseMs = parsing(body);
      for (const path of REQUEST_PATHS) {
        const ask = async () => {
          const answer = await fetch(`${gateway.url}${path}`, {
            method: 'POST',
            headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
            body,
          });
          await answer.arrayBuffer();
          return answer;
        };
        const cost = await cheapest(ask);

        const seen = `${path}: ${cost.cpuMs.toFixed(1)} ms, turns ${cost.p99Ms.toFixed(1)} ms`;
        t.diagnostic(`${seen}, ${cost.status}`);
        assert.ok(cost.status < 500, `${path} ${cost.status}`);
        assert.ok(cost.cpuMs <= CPU_MS_MAX, seen);
        const mayMs = Math.max(TURN_MS_P99, PARSES_MAX * parseMs);
        assert.ok(cost.p99Ms <= mayMs, `${seen}, at most ${mayMs.toFixed(1)} ms`);
      }
    });
  }

  it('leaves the program answering others', async () => {
    const answer = await gateway.chat(inChat(messages('Hola')));
    assert.equal(answer.status, 200);
  });
});

describe('names that every object has (F2)', () => {
  const NAMES = [
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    '__defineGetter__',
  ];
  const intact = () => {
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.equal(Object.keys(Object.prototype).length, 0);
  };

  for (const name of NAMES) {
    it(`do nothing as a header, a parameter, a model, a member or metadata: ${name}`, async () => {
      const lines = ['POST /v1/chat/completions HTTP/1.1', 'host: t', 'connection: close'];
      const body = JSON.stringify({
        model: 'mock',
        messages: [{ role: 'user', content: 'x' }],
      }).replace('{', `{"metadata":{"${name}":{"polluted":1},"x":"y"},"${name}":{"polluted":1},`);
      lines.push(`authorization: Bearer ${ADMIN_KEY}`, 'content-type: application/json');
      lines.push(`${name}: polluted`, `${name}: again`, `content-length: ${body.length}`);
      const raw = await sendRaw(gateway.url, [`${lines.join('\r\n')}\r\n\r\n${body}`]);
      assert.ok(raw.status >= 200 && raw.status < 500, `${raw.status} ${raw.body}`);

      const named = await gateway.chat({ model: name, messages: [] });
      assert.ok([400, 404].includes(named.status), `${named.status}`);
      for (const path of ['keys', 'requests', 'usage', 'models']) {
        const query = `${name}=1&${name}[polluted]=1&by=${name}`;
        const listed = await gateway.api('GET', `/api/v1/${path}?${query}`);
        assert.ok(listed.status < 500, `${path} ${listed.status}`);
      }
      for (const path of ['keys', 'users', 'requests', 'tenants', 'flags', 'circuit-breakers']) {
        const found = await gateway.api('GET', `/api/v1/${path}/${name}`);
        assert.ok([400, 404].includes(found.status), `${path} ${JSON.stringify(found.body)}`);
      }
      intact();
    });
  }
});

const BREAKS = [
  'x\r\nx-injected: yes',
  'x\nx-injected: yes',
  'x\u2028y',
  '\u0000',
  '\u001b[2J',
  '"}\n{"level":"error"',
];

test('F3: line ends in models, ids, names and headers leave every line one line', async (t) => {
  const folder = temporaryFolder(t);
  const { url, child, kill } = await startGatewayProcess(folder, { LOG_LEVEL: 'debug' });
  let said = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  const marks: string[] = [];
  const send = async (method: string, path: string, body: unknown, headers = {}) => {
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    await answer.arrayBuffer();
    assert.ok(answer.status < 500, `${method} ${path}: ${answer.status}`);
    for (const [name, value] of answer.headers) {
      assert.notEqual(name, 'x-injected');
      assert.ok(!/[\r\n\0]/.test(value), name);
    }
    marks.push(answer.headers.get('x-request-id') ?? '');
  };
  try {
    for (const text of BREAKS) {
      const id = encodeURIComponent(text);
      const chat = { model: text, messages: [{ role: 'user', content: text }], user: text };
      await send('POST', '/v1/chat/completions', chat, { 'idempotency-key': 'k' });
      await send('POST', `/v1beta/models/${id}:generateContent`, { contents: [] });
      await send('POST', '/api/v1/keys', { name: text });
      await send('POST', '/api/v1/tenants', { slug: text, name: text });
      await send('POST', '/api/v1/auth/login', { username: text, password: text });
      await send('GET', `/api/v1/keys/${id}`, undefined);
      await send('GET', `/${id}`, undefined);
      const printable = text.replaceAll(/[^\x20-\x7e]/g, '');
      await send('GET', '/api/v1/keys', undefined, {
        ...{ 'user-agent': printable, 'x-correlation-id': printable, traceparent: printable },
      });
    }
    // Bytes that no client library sends: refused before they are a header.
    for (const name of ['x-correlation-id', 'x-request-id', 'user-agent', 'traceparent']) {
      const lines = ['GET /api/v1/keys HTTP/1.1', 'host: t', `authorization: Bearer ${ADMIN_KEY}`];
      lines.push(`${name}: a\nx-injected: yes\n{"level":"error"}`, 'connection: close');
      const answer = await sendRaw(url, [`${lines.join('\r\n')}\r\n\r\n`]);
      assert.doesNotMatch(answer.head, /x-injected/i);
    }
    await kill('SIGTERM');
    const lines = said.split('\n').filter((line) => line !== '');
    const first = lines.findIndex((line) => line.startsWith('{"level"'));
    const parsed = lines.slice(first).map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const id of marks) {
      const own = parsed.filter((line) => JSON.stringify(line).includes(id));
      assert.ok(own.length >= 1, id);
      for (const line of own) assert.equal(typeof line.message, 'string');
    }
    assert.ok(parsed.every((line) => 'timestamp' in line && 'logger' in line));
  } finally {
    if (child.exitCode === null) await kill('SIGKILL');
  }
});

/** Bodies that are not what every route takes, each as its type says. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ['multipart/form-data; boundary=x', '--x\r\n'.repeat(50_000)],
  [`multipart/form-data; boundary=${'-'.repeat(5000)}`, `--${'-'.repeat(5000)}\r\n`.repeat(50)],
  ['multipart/form-data; boundary=x', `--x${'-'.repeat(200_000)}`],
  ['multipart/form-data', '--x--'],
  ['application/x-www-form-urlencoded', 'model=mock&'.repeat(20_000)],
  ['text/plain', '{"model":"mock"}'],
  ['application/xml', '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'],
  ['application/octet-stream', '\0\0\0'],
  ['application/jsonp', '{}'],
];

test('F4: what is not JSON is refused at once, on every route that takes a body', async () => {
  const operations = await operationsOf(gateway);
  const paths = operations.filter(({ body, method }) => body !== null && method !== 'GET');
  const both = ['/v1/chat/completions', '/api/v1/keys'];
  assert.ok(paths.length >= 20 && both.every((each) => paths.some(({ path }) => path === each)));
  for (const { method, path } of paths) {
    const url = `${gateway.url}${path.replaceAll(/\{[^}]+\}/g, 'x-none')}`;
    for (const [type, body] of FOREIGN) {
      const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': type };
      const before = cpuMs();
      const answer = await fetch(url, { method, headers, body });
      const text = await answer.text();
      const spent = cpuMs() - before;
      const refused = [400, 404, 413, 415].includes(answer.status);
      assert.ok(refused, `${method} ${path} ${type}: ${answer.status} ${text.slice(0, 200)}`);
      assert.doesNotThrow(() => JSON.parse(text), `${method} ${path} ${type}`);
      assert.ok(spent < CPU_MS_MAX, `${method} ${path} ${type.slice(0, 40)}: ${spent} ms`);
    }
  }
});

test('F5: every list caps its pages, and takes no column, pattern or offset', async () => {
  const operations = await operationsOf(gateway);
  const lists = operations.filter(({ parameters }) =>
    parameters.some(({ name }) => name === 'limit'),
  );
  assert.ok(lists.length >= 5, `only ${lists.length} lists`);
  for (const { path } of lists) {
    const url = path.replaceAll(/\{[^}]+\}/g, 'x-none');
    for (const limit of [
      '1e9',
      '999999999',
      '-1',
      '0',
      'NaN',
      '1.5',
      "1' or 1=1",
      '9'.repeat(400),
    ]) {
      const { status, body } = await gateway.api(
        'GET',
        `${url}?limit=${encodeURIComponent(limit)}`,
      );
      assert.ok(status < 500, `${path} ${limit}: ${status}`);
      if (status === 200) assert.ok(body.data.length <= 1000, `${path} ${limit}`);
    }
    const wanted = 'sort=secret_hash&order=desc&offset=999999999&search=%25_%25&q=%25';
    const { status } = await gateway.api('GET', `${url}?${wanted}`);
    assert.ok([200, 400, 404].includes(status), `${path}: ${status}`);
  }
});
