/**
 * Goal: no secret and no content leaves through the log. Method: canaries planted under every
 * name and in every shape, and arbitrary values, which must come out as plain data.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { describeError, redactFields, redactText } from '../../../src/telemetry/redact.ts';

const JWT = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWJ5dGVz';

/** [text, what must be gone, what must stay] */
const TEXTS: readonly (readonly [string, string, string])[] = [
  ['authorization: Bearer canary-0123456789', 'canary', 'authorization'],
  ['bearer canary.0123', 'canary', 'bearer'],
  ['Basic Y2FuYXJ5OmNhbmFyeQ==', 'Y2FuYXJ5', 'Basic'],
  ['Incorrect API key provided: sk-canary0123456789abcdef.', 'canary', 'Incorrect API key'],
  ['sk-ant-api03-canary_canary-canary', 'canary', ''],
  ['line\nsk-proj-canary0123', 'canary', 'line'],
  ['key=esk_canary0123456789', 'canary', 'key'],
  ['AIzaSyCanary0123456789', 'SyCanary', ''],
  [`token ${JWT} expired`, 'eyJ', 'expired'],
  ['redis://:canary@cache.internal:6379/0', 'canary', 'cache.internal:6379/0'],
  ['postgres://app:canary@db/esclusa', 'canary', 'db/esclusa'],
  ['postgres://app:can@ary@db/esclusa', 'ary', 'db/esclusa'],
  ['https://canarytoken@host/path', 'canarytoken', 'host/path'],
  ['GET /v1/models?key=canary&alt=sse', 'canary', 'alt=sse'],
  ['/callback?state=1&access_token=canary', 'canary', 'state=1'],
  ['write to ada.canary+x@example.com please', 'canary', 'please'],
  ['card 4111 1111 1111 1111 refused', '1111', 'refused'],
  ['card 4111111111111111', '4111', 'card'],
];

for (const [text, gone, stays] of TEXTS) {
  test(`a secret is taken out of ${JSON.stringify(text)}`, () => {
    const clean = redactText(text);

    assert(!clean.includes(gone), clean);
    assert(clean.includes(stays), clean);
  });
}

const HARMLESS = [
  'gpt-4o-mini',
  'claude-sonnet-4-5-20250929',
  'req_01JD3ZK8Q4W7X2Y9A0B1C2D3E4',
  '9f1c2ab0-7d3e-4c55-b1aa-0d9e8c7f6a5b',
  'Provider `openai` could not be reached (ECONNREFUSED).',
  'https://api.openai.com/v1/chat/completions',
  'task-force-of-seven-people',
  'models/gemini-2.5-flash:generateContent',
  '1700000000000',
];

for (const text of HARMLESS) {
  test(`${text} is left as it is`, () => assert.equal(redactText(text), text));
}

test('members are redacted by the name of a secret, in any spelling, however deep', () => {
  const names = [
    'password',
    'api_key',
    'apiKey',
    'X-Api-Key',
    'x-goog-api-key',
    'Authorization',
    'set-cookie',
    'clientSecret',
    'access_token',
    'refreshToken',
    'private-key',
    'jwt',
    'key',
  ];
  for (const name of names) {
    const clean = JSON.stringify(redactFields({ a: { b: [{ [name]: 'canary' }] } }));
    assert(!clean.includes('canary'), clean);
    assert(!JSON.stringify(redactFields({ [name]: 1234 })).includes('1234'), name);
  }
});

test('content is left out by the name of its field', () => {
  for (const name of ['prompt', 'messages', 'content', 'completion', 'body', 'input']) {
    const clean = JSON.stringify(redactFields({ request: { [name]: ['canary'] } }));
    assert(!clean.includes('canary'), clean);
  }
});

test('figures and identifiers with similar names are kept', () => {
  const fields = {
    input_tokens: 10,
    max_tokens: 20,
    first_token_ms: 30,
    key_id: 'key_01',
    max_keys: 5,
    has_password: true,
    secret: null,
  };

  assert.deepEqual(redactFields(fields), fields);
});

test('an error tells its type, code and causes, without secrets', () => {
  const root = Object.assign(new Error('connect redis://:canary@host'), { code: 'ECONNREFUSED' });
  const error = new TypeError('failed with Bearer canary-canary', { cause: root });

  const description = describeError(error);

  assert.equal(description.type, 'TypeError');
  assert.match(description.traceback, /redact\.test/);
  assert.equal(description.cause?.code, 'ECONNREFUSED');
  assert(!JSON.stringify(description).includes('canary'));
});

test('the text that JSON.parse could not read is not quoted', () => {
  for (const text of ['canary is what I feel', `{"prompt": canary ${'x'.repeat(100)}`, '"canary']) {
    const error = (() => {
      try {
        return JSON.parse(text) as unknown;
      } catch (thrown) {
        return thrown;
      }
    })();

    const description = describeError(error);

    assert.equal(description.type, 'SyntaxError');
    assert(!JSON.stringify(description).includes('canary'), JSON.stringify(description));
  }
});

test('whatever goes in, plain bounded data comes out', () => {
  const circular: Record<string, unknown> = { name: 'a' };
  circular.self = circular;
  const hostile = {
    circular,
    big: 10n,
    symbol: Symbol('s'),
    run: () => 1,
    date: new Date(0),
    broken: new Date(Number.NaN),
    bytes: Buffer.alloc(9),
    url: new URL('https://a:canary@host/'),
    none: undefined,
    infinite: Number.POSITIVE_INFINITY,
    get trap(): string {
      throw new Error('no');
    },
    long: 'x'.repeat(100_000),
    wide: Array.from({ length: 1000 }, () => 1),
    map: new Map([['a', 1]]),
  };

  const text = JSON.stringify(redactFields(hostile));

  assert(text.length < 20_000, `${text.length}`);
  assert(!text.includes('canary'));
  assert.match(text, /\[circular\]/);
  assert.match(text, /\[9 bytes\]/);
  assert.match(text, /\[unreadable\]/);
});

test('any value survives the redactor', () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.anything({ withBigInt: true, withDate: true })),
      (value) => {
        JSON.stringify(redactFields(value));
      },
    ),
  );
});

test('a planted key never survives, whatever stands around it', () => {
  const around = fc.string({ unit: 'binary' }).filter((text) => !/[A-Za-z0-9]$/.test(text));
  fc.assert(
    fc.property(around, fc.string(), (before, after) => {
      const clean = redactText(`${before}sk-canary0123456789${after}`);
      assert(!clean.includes('canary'), clean);
    }),
  );
});

/** Each makes some shape begin at every character, or at none, and never end. */
const ENDLESS: readonly (readonly [what: string, text: string])[] = [
  ['a word', 'a'],
  ['beginnings of tokens', 'eyJ'],
  ['beginnings of keys', 'sk-'],
  ['names with dots', 'a.'],
  ['names with dashes', 'a-'],
  ['halves of addresses', 'a@'],
  ['schemes', 'a://'],
  ['names of a query', '?key'],
  ['words that announce a key', 'bearer '],
  ['numbers of cards', '4111 '],
  ['quotes', ' "'],
];
const LENGTH = 65_536;
const CPU_MS_MAX = 200;

for (const [what, piece] of ENDLESS) {
  test(`F1: a text of endless ${what} costs time in proportion to its length`, () => {
    // With a reason to look at it more closely at either end.
    const text = `of a@b.example: ${piece.repeat(LENGTH / piece.length)} sk-${piece}`;
    const timesMs = [0, 1, 2].map(() => {
      const before = process.threadCpuUsage();
      redactText(text);
      redactFields({ text, [text]: new Error(text) });
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    });

    // It was over a second for the worst of these, and grew with the square.
    assert.ok(Math.min(...timesMs) <= CPU_MS_MAX, `${timesMs} ms`);
  });
}

test('H2: a secret that lies across the cut of a long text is not shown in half', () => {
  for (const secret of [
    'sk-canary-1234567890',
    'ada.canary@example.com',
    'card 4111111111111111',
  ]) {
    for (let before = 8192 - secret.length - 2; before <= 8194; before += 1) {
      const text = `${'x '.repeat(5000).slice(0, before)} ${secret} ${'y '.repeat(500)}`;
      const { text: shown } = redactFields({ text }) as { readonly text: string };
      assert.doesNotMatch(shown, /canary|4111/, `${before}`);
    }
  }
});
