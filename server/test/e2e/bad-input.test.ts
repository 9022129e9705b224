/**
 * Goal: whatever bytes come in, the answer is a clear 4xx in the dialect within a second, and
 * the server goes on serving. Method: the whole program, raw sockets, limits configured small.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { isComplete, type RawAnswer, sendRaw } from '../support/raw-http.ts';

const PATH = '/v1/chat/completions';
const GOOD = JSON.stringify({ model: 'mock', messages: [{ role: 'user', content: 'hola' }] });
const SECOND_MS = 1000;

let gateway: TestGateway;

before(async () => {
  gateway = await startGateway({
    config: {
      max_body_bytes: 65_536,
      max_json_depth: 64,
      http: { headers_timeout_ms: 300, request_timeout_ms: 400 },
    },
  });
});

after(() => gateway.close());

function post(body: string | Buffer, headers: readonly string[] = []): (string | Buffer)[] {
  const lines = [
    `POST ${PATH} HTTP/1.1`,
    'host: test',
    `authorization: Bearer ${ADMIN_KEY}`,
    'content-type: application/json',
    ...headers,
  ];
  const hasLength = headers.some((line) => /^(content-length|transfer-encoding):/i.test(line));
  if (!hasLength) lines.push(`content-length: ${Buffer.byteLength(body)}`);
  return [`${lines.join('\r\n')}\r\n\r\n`, body];
}

function assertRefusal(answer: RawAnswer, status: number, code: string): void {
  assert.equal(answer.status, status, `${answer.head}\n${answer.body}`);
  const { error } = JSON.parse(answer.body) as { error: Record<string, unknown> };
  assert.equal(error.code, code);
  assert.equal(typeof error.message, 'string');
  assert.equal(typeof error.type, 'string');
  assert.ok(answer.tookMs < SECOND_MS, `took ${answer.tookMs} ms`);
}

async function assertServes(): Promise<void> {
  const answer = await gateway.chat(GOOD);
  assert.equal(answer.status, 200);
  await answer.arrayBuffer();
}

interface BodyCase {
  readonly name: string;
  readonly body: string | Buffer;
  readonly status: number;
  readonly code: string;
}

const chat = (changes: string): string => `{"model":"mock","messages":[]${changes}}`;
const user = '"messages":[{"role":"user","content":"hola"}]';

const BODIES: readonly BodyCase[] = [
  { name: 'an empty body', body: '', status: 400, code: 'body_not_json' },
  { name: 'broken JSON', body: '{"model":', status: 400, code: 'body_not_json' },
  { name: 'a list', body: '[1]', status: 400, code: 'body_not_json' },
  { name: 'a bare text', body: '"model"', status: 400, code: 'body_not_json' },
  { name: 'a byte order mark', body: `\ufeff${GOOD}`, status: 400, code: 'body_not_json' },
  { name: 'UTF-16', body: Buffer.from(GOOD, 'utf16le'), status: 400, code: 'body_not_json' },
  {
    name: 'bytes that are not UTF-8',
    body: Buffer.concat([Buffer.from('{"model":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    status: 400,
    code: 'body_not_utf8',
  },
  {
    name: '10 000-deep nesting',
    body: `{"model":"mock",${user},"x":${'['.repeat(10_000)}${']'.repeat(10_000)}}`,
    status: 400,
    code: 'body_too_deep',
  },
  {
    name: 'a nesting that never ends',
    body: `{"model":"mock","x":${'{"a":'.repeat(10_000)}`,
    status: 400,
    code: 'body_too_deep',
  },
  {
    name: 'a field twice',
    body: `{"model":"mock","model":"other",${user}}`,
    status: 400,
    code: 'duplicate_field',
  },
  {
    name: 'a field twice, once spelled with an escape',
    body: `{"model":"mock","mod\\u0065l":"other",${user}}`,
    status: 400,
    code: 'duplicate_field',
  },
  { name: 'no model', body: `{${user}}`, status: 400, code: 'invalid_request' },
  {
    name: 'a model that is a number',
    body: `{"model":1,${user}}`,
    status: 400,
    code: 'invalid_request',
  },
  { name: 'no messages', body: '{"model":"mock"}', status: 400, code: 'invalid_request' },
  { name: 'an empty list of messages', body: chat(''), status: 400, code: 'invalid_request' },
  {
    name: 'messages that are a text',
    body: '{"model":"mock","messages":"hola"}',
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a message without a role',
    body: '{"model":"mock","messages":[{"content":"hola"}]}',
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'stream that is a text',
    body: `{"model":"mock",${user},"stream":"yes"}`,
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'max_tokens below zero',
    body: `{"model":"mock",${user},"max_tokens":-1}`,
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'n beyond reason',
    body: `{"model":"mock",${user},"n":1000000}`,
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'a temperature of 1e400',
    body: `{"model":"mock",${user},"temperature":1e400}`,
    status: 400,
    code: 'invalid_request',
  },
  {
    name: 'an unknown model',
    body: `{"model":"nope",${user}}`,
    status: 404,
    code: 'model_not_found',
  },
  {
    name: 'a model called __proto__',
    body: `{"model":"__proto__",${user}}`,
    status: 404,
    code: 'model_not_found',
  },
  {
    name: 'a model with a line break',
    body: `{"model":"a\\r\\nx: y",${user}}`,
    status: 400,
    code: 'invalid_request',
  },
];

for (const { name, body, status, code } of BODIES) {
  test(`${name} is answered with ${status} ${code}`, async () => {
    assertRefusal(await sendRaw(gateway.url, post(body)), status, code);
    await assertServes();
  });
}

test('members called __proto__ and constructor are passed on and change nothing', async () => {
  const body = `{"model":"mock",${user},"__proto__":{"stream":true},"constructor":{"prototype":1}}`;

  const answer = await sendRaw(gateway.url, post(body));

  assert.equal(answer.status, 200);
  assert.equal(({} as { stream?: boolean }).stream, undefined);
});

test('a body declared larger than the limit is refused without being read', async () => {
  const headers = [`content-length: ${10 ** 13}`];
  assertRefusal(await sendRaw(gateway.url, post('{', headers)), 413, 'body_too_large');
  await assertServes();
});

test('a chunked body is refused as soon as it exceeds the limit', async () => {
  const chunk = `${(40_000).toString(16)}\r\n${'x'.repeat(40_000)}\r\n`;
  const pieces = post(`${chunk}${chunk}${chunk}`, ['transfer-encoding: chunked']);
  assertRefusal(await sendRaw(gateway.url, pieces), 413, 'body_too_large');
  await assertServes();
});

test('an upload without a key is refused without being read', async () => {
  const head = `POST ${PATH} HTTP/1.1\r\nhost: test\r\ncontent-length: ${10 ** 9}\r\n\r\n`;
  assertRefusal(await sendRaw(gateway.url, [head, '{']), 401, 'credentials_missing');
});

const HEADERS: readonly (readonly [string, readonly string[], number, string])[] = [
  ['another content type', ['content-type: text/plain'], 400, 'duplicate_header'],
  ['a compressed body', ['content-encoding: gzip'], 415, 'content_encoding_unsupported'],
  [
    'two different keys',
    ['x-api-key: esk_another_key_that_is_long_enough_0000000000000'],
    400,
    'credentials_conflicting',
  ],
  ['headers over 32 KiB', [`x-filler: ${'a'.repeat(40_000)}`], 431, 'headers_too_large'],
  ['5000 headers', Array.from({ length: 5000 }, (_, i) => `x-h${i}: 1`), 431, 'headers_too_large'],
  ['cache-control nonsense', ['cache-control: max-age=soon'], 400, 'header_invalid'],
];

for (const [name, headers, status, code] of HEADERS) {
  test(`${name} is answered with ${status} ${code}`, async () => {
    assertRefusal(await sendRaw(gateway.url, post(GOOD, headers)), status, code);
    await assertServes();
  });
}

test('a form is refused as an unsupported content type', async () => {
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'host: test',
    `authorization: Bearer ${ADMIN_KEY}`,
    'content-type: application/x-www-form-urlencoded',
    'content-length: 3',
  ].join('\r\n');
  const answer = await sendRaw(gateway.url, [`${head}\r\n\r\n`, 'a=b']);
  assertRefusal(answer, 415, 'content_type_unsupported');
});

test('a key in the query string is refused', async () => {
  const head = `POST ${PATH}?api_key=x HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n`;
  assertRefusal(await sendRaw(gateway.url, [head]), 400, 'credentials_in_query');
});

const BROKEN_HTTP: readonly (readonly [string, string])[] = [
  ['a request line of garbage', 'GARBAGE\r\n\r\n'],
  ['a header without a colon', `POST ${PATH} HTTP/1.1\r\nhost: test\r\nbroken header\r\n\r\n`],
  [
    'two lengths that disagree',
    `POST ${PATH} HTTP/1.1\r\nhost: t\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab`,
  ],
  [
    'a length beside chunks',
    `POST ${PATH} HTTP/1.1\r\nhost: t\r\ncontent-length: 5\r\n` +
      'transfer-encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
];

for (const [name, bytes] of BROKEN_HTTP) {
  test(`${name} is answered with 400 http_malformed`, async () => {
    assertRefusal(await sendRaw(gateway.url, [bytes]), 400, 'http_malformed');
    await assertServes();
  });
}

test('headers that drip in slowly are cut off with 408', async () => {
  const answer = await sendRaw(gateway.url, [`POST ${PATH} HTTP/1.1\r\nhost: test\r\nx-a: `]);
  assert.equal(answer.status, 408);
  assert.equal(JSON.parse(answer.body).error.code, 'request_timeout');
  await assertServes();
});

test('a body that never comes is cut off with 408', async () => {
  const answer = await sendRaw(gateway.url, post('{"model"', ['content-length: 500']));
  assert.equal(answer.status, 408);
  await assertServes();
});

test('pipelined requests are answered in their order', async () => {
  const second = JSON.stringify({ model: 'nope', messages: [{ role: 'user', content: 'x' }] });
  const twoAnswers = (text: string): boolean => /404 Not Found[\s\S]*model_not_found/.test(text);

  const answer = await sendRaw(gateway.url, [...post(GOOD), ...post(second)], twoAnswers);

  assert.equal(answer.status, 200);
  assert.ok(answer.body.includes('HTTP/1.1 404 Not Found'));
});

test('an unknown path below /v1 is a 404 in the dialect, another method a 405', async () => {
  const unknown = await sendRaw(gateway.url, ['POST /v1/nope HTTP/1.1\r\nhost: t\r\n\r\n']);
  assertRefusal(unknown, 404, 'not_found');
  const method = await sendRaw(gateway.url, [`GET ${PATH} HTTP/1.1\r\nhost: t\r\n\r\n`]);
  assertRefusal(method, 405, 'method_not_allowed');
  assert.match(method.head, /allow: POST/i);
});

test('a path that only looks like an endpoint is not one', async () => {
  for (const path of ['//v1/chat/completions', '/v1/chat%2fcompletions', '/V1/chat/completions']) {
    const request = `POST ${path} HTTP/1.1\r\nhost: t\r\ncontent-length: 0\r\n\r\n`;
    const answer = await sendRaw(gateway.url, [request], isComplete);
    assert.equal(answer.status, 404, path);
  }
});

test('150 broken connections at once leave the server serving', async () => {
  await Promise.all(Array.from({ length: 150 }, () => sendRaw(gateway.url, ['\u0000\r\n\r\n'])));
  await assertServes();
});
