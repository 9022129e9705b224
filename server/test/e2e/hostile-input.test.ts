/**
 * Goal: whatever somebody sends, it is answered or refused at a bounded cost (F1), changes no
 * object (F2), writes no header and no second line of a log (F3), and forms are refused unread
 * (F4).
 * Method: the command as a process of its own, whose time on the processor is read from the
 * system: another's work on the machine does not count.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { sendRaw } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

const PATHS = ['/v1/chat/completions', '/v1/messages', '/v1/responses', '/api/v1/keys'];
const MB = 1_048_576;
const CPU_MS_MAX = 200;
const ROUNDS = 4;

const folder = temporaryFolder({ after });
let gateway: GatewayProcess;
let written = '';
let tickMs: number;

before(async () => {
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, 'max_body_bytes: 4194304\n');
  const env = { ESCLUSA_CONFIG: file, LOG_LEVEL: 'info' };
  gateway = await startGatewayProcess(join(folder, 'data'), env);
  gateway.child.stdout?.on('data', (chunk: Buffer) => {
    written += chunk.toString();
  });
  tickMs = 1000 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
});
after(() => gateway.child.kill('SIGKILL'));

/** What the process has spent on the processor, all of its threads together. */
function spentMs(): number {
  const stat = readFileSync(`/proc/${gateway.child.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * tickMs;
}

async function post(path: string, body: string, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: {
      ...{ authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      ...{ 'x-api-version': '1', ...headers },
    },
    body,
  });
  return { status: answer.status, text: await answer.text(), headers: answer.headers };
}

const fill = (piece: string): string => piece.repeat(Math.floor(MB / piece.length));
const chat = (content: string) => `{"model":"mock","max_tokens":5,"messages":[${content}]}`;
const said = (text: string) => chat(`{"role":"user","content":"${text}"}`);

/** Each about a megabyte. */
const HEAVY: Readonly<Record<string, () => string>> = {
  'one long text': () => said(fill('a')),
  'a text of escapes': () => said(fill('\\u0061\\n\\"')),
  'text that looks like secrets': () => said(fill('eyJ')),
  'text that looks like addresses': () => said(fill('a.a-')),
  'text for patterns that go back': () => said(`${fill('a')}!`),
  'many messages': () => chat(fill('{"role":"user","content":"x"},').slice(0, -1)),
  'many members': () =>
    `{"model":"mock",${Array.from({ length: 60_000 }, (_, at) => `"k${at}":${at}`).join()}}`,
  'one member many times': () => `{"model":"mock",${fill('"a":1,').slice(0, -1)}}`,
  'depth that is closed': () => `{"model":"mock","x":${'['.repeat(MB / 2)}${']'.repeat(MB / 2)}}`,
  'depth that is never closed': () => `{"model":"mock","x":${fill('{"a":')}`,
  'many numbers': () => `{"model":"mock","x":[${fill('1e9,').slice(0, -1)}]}`,
  'white space': () => `${fill(' \n\t')}{}`,
  'a long model': () => `{"model":"${fill('m/')}","messages":[]}`,
};

for (const [what, make] of Object.entries(HEAVY)) {
  test(`F1: a megabyte of ${what} is answered, or refused, within its share of CPU`, async () => {
    const body = make();
    for (const path of PATHS) {
      await post(path, body);
      const before = spentMs();
      for (let round = 0; round < ROUNDS; round += 1) {
        const { status } = await post(path, body);
        assert.ok(status === 200 || (status >= 400 && status < 500), `${path}: ${status}`);
      }
      const eachMs = (spentMs() - before) / ROUNDS;
      assert.ok(eachMs <= CPU_MS_MAX, `${path}: ${eachMs} ms`);
    }
  });
}

test('F2: names that objects are born with do nothing, wherever they stand', async () => {
  const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then'];
  for (const name of names) {
    const lines = (path: string, method: string, body = '') => [
      `${method} ${path} HTTP/1.1\r\nhost: t\r\n${name}: x\r\nx-${name}: y\r\n` +
        `authorization: Bearer ${ADMIN_KEY}\r\ncontent-type: application/json\r\n` +
        `content-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
    ];
    const messages = '[{"role":"user","content":"x"}]';
    const body = `{"model":"${name}","metadata":{"${name}":"x"},"messages":${messages}}`;
    const answers = [
      await sendRaw(gateway.url, lines(`/api/v1/keys?${name}=1`, 'GET')),
      await sendRaw(gateway.url, lines(`/api/v1/keys/${name}`, 'GET')),
      await sendRaw(gateway.url, lines(`/api/v1/flags/${name}`, 'GET')),
      await sendRaw(gateway.url, lines(`/v1/models/${name}`, 'GET')),
      await sendRaw(gateway.url, lines(`/v1/chat/completions?${name}=1`, 'POST', body)),
      await sendRaw(gateway.url, lines(`/v1beta/models/mock:${name}`, 'POST', '{}')),
    ];
    for (const { status, body: text } of answers) {
      assert.ok(status >= 400 && status < 500, `${name}: ${status} ${text}`);
    }
    const asKey = await post('/v1/chat/completions', said('x'), {
      authorization: `Bearer ${name}`,
    });
    assert.equal(asKey.status, 401);
  }
  assert.equal((await post('/v1/chat/completions', said('x'))).status, 200);
});

test('F3: line breaks in names, ids and headers forge no header and no line', async () => {
  const FORGED = 'forged-4e1';
  const line = `\\r\\n{\\"level\\":\\"error\\",\\"message\\":\\"${FORGED}\\"}\\r\\nx-${FORGED}: 1`;
  const asked = [
    await post('/v1/chat/completions', `{"model":"m${line}","messages":[]}`),
    await post('/v1/chat/completions', `{"model":"\\u65e5\\u672c","messages":[{}]}`),
    await post('/api/v1/keys', `{"name":"${line}"}`),
    await post('/api/v1/tenants', `{"slug":"a","name":"${line}"}`),
    await post('/api/v1/auth/login', `{"username":"${line}","password":"${line}"}`),
    await post('/v1/chat/completions', said(line).replace('{', `{"user":"${line}",`)),
    await post(`/v1beta/models/m%0d%0ax-${FORGED}:%201:generateContent`, '{}'),
    await post(`/v1/%0d%0a${FORGED}`, '{}'),
    await post('/v1/chat/completions', said('x'), { 'x-correlation-id': `a"},{"${FORGED}` }),
    await post('/v1/chat/completions', said('x'), { 'idempotency-key': `"},${FORGED}` }),
  ];
  const raw = await sendRaw(gateway.url, [
    `GET /api/v1/keys HTTP/1.1\r\nhost: t\r\nx-correlation-id: a\nx-${FORGED}: 1\r\n\r\n`,
  ]);

  assert.ok(raw.status >= 400 && raw.status < 500, `${raw.status}`);
  for (const { status, headers } of asked) {
    assert.ok(status < 500, `${status}`);
    for (const [name, value] of headers) {
      assert.ok(!name.includes(FORGED) && !/[\r\n]/.test(value), `${name}: ${value}`);
    }
  }
  const last = asked.at(-1)?.headers.get('x-request-id') ?? '';
  const lines = await until('the last line is written', () => {
    const whole = written.slice(0, written.lastIndexOf('\n')).split('\n');
    return whole.some((each) => each.includes(last)) ? whole : null;
  });
  for (const each of lines.filter((text) => text.startsWith('{'))) {
    const { level, message } = JSON.parse(each) as { level: string; message: string };
    assert.match(level, /^(info|warn)$/, each);
    assert.doesNotMatch(message, /forged/);
  }
  assert.ok(!lines.some((each) => each.startsWith(`x-${FORGED}`)));
});

test('F4: forms, parts without end and other types are refused, and cheaply', async () => {
  const parts = 'multipart/form-data; boundary=';
  const flood = `${'-'.repeat(70)}\r\n`;
  const types = [
    `${parts}x`,
    `${parts}${'b'.repeat(8000)}`,
    `multipart/mixed; ${'boundary=a; '.repeat(500)}`,
    'application/x-www-form-urlencoded',
    'text/plain',
    'text/html',
    'application/xml',
    'application/json5',
    'application/x-ndjson',
    'application/octet-stream',
    'image/svg+xml',
    'json',
  ];
  const body = fill(flood);
  const before = spentMs();
  for (const type of types) {
    for (const path of PATHS) {
      const { status, text } = await post(path, body, { 'content-type': type });
      assert.ok(status === 415 || status === 400, `${path} ${type.slice(0, 40)}: ${status}`);
      assert.equal(typeof JSON.parse(text).error, 'object');
    }
  }
  const eachMs = (spentMs() - before) / (types.length * PATHS.length);
  assert.ok(eachMs <= 50, `${eachMs} ms`);
});
