/**
 * Goal: an operator's prompt, in the version that a flag chooses, stands before what clients of
 * every dialect say to models of every vendor; the ledger knows which text it was; and a version
 * that makes calls fail is taken back by itself. Method: the whole program over scripted servers
 * of three vendors' own wires, whose requests are read.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { ANTHROPIC_KEY, startScriptedAnthropic } from '../support/scripted-anthropic/index.ts';
import { GEMINI_KEY, startScriptedGemini } from '../support/scripted-gemini/index.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const V1 = 'You are a tutor. Ask, do not solve.';
const V2 = 'You are a patient tutor. Ask one question at a time.';
const MINE = 'Answer in Spanish.';
/** The beginnings of the digests of both texts, by `sha256sum`. */
const ID_1 = 'tutor@v1#25b0aa60';
const ID_2 = 'tutor@v2#3efb6b87';
const PRICE = { input_usd_per_million: 1, output_usd_per_million: 2 };

interface Scene {
  readonly gateway: TestGateway;
  readonly upstreams: Readonly<Record<string, ScriptedUpstream>>;
}

async function scene(t: TestContext, more: Readonly<Record<string, unknown>> = {}): Promise<Scene> {
  const [openai, claude, google] = await Promise.all([
    startScriptedUpstream(),
    startScriptedAnthropic(),
    startScriptedGemini(),
  ]);
  const upstreams = { openai, claude, google };
  t.after(() => Promise.all(Object.values(upstreams).map((each) => each.close())));
  const alias = (provider: string) => ({
    ...{ targets: [{ provider, model: 'mock' }], price: PRICE, prompt: 'tutor@v1' },
    experiment: { flag: 'tutor_prompt', prompt: 'tutor@v2' },
  });
  const gateway = await startGateway({
    config: {
      providers: {
        openai: { kind: 'openai', base_url: openai.url, api_key: 'sk-x' },
        claude: { kind: 'anthropic', base_url: claude.url, api_key: ANTHROPIC_KEY },
        google: { kind: 'gemini', base_url: google.url, api_key: GEMINI_KEY },
      },
      prompts: { tutor: { v1: V1, v2: V2 } },
      models: { openai: alias('openai'), claude: alias('claude'), google: alias('google') },
      ...more,
    },
  });
  t.after(() => gateway.close());
  return { gateway, upstreams };
}

const HELLO = [{ role: 'user', content: 'Say hello.' }];

/** One question in each dialect, with instructions of the client's own. */
const DIALECTS: readonly (readonly [string, (model: string) => readonly [string, object]])[] = [
  [
    'openai',
    (model) => [
      '/v1/chat/completions',
      { model, messages: [{ role: 'system', content: MINE }, ...HELLO] },
    ],
  ],
  [
    'responses',
    (model) => ['/v1/responses', { model, instructions: MINE, input: 'Say hello.', store: false }],
  ],
  [
    'anthropic',
    (model) => ['/v1/messages', { model, max_tokens: 50, system: MINE, messages: HELLO }],
  ],
  [
    'gemini',
    (model) => [
      `/v1beta/models/${model}:generateContent`,
      {
        systemInstruction: { parts: [{ text: MINE }] },
        contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }],
      },
    ],
  ],
];

function post({ gateway }: Scene, [path, body]: readonly [string, object], key = ADMIN_KEY) {
  return fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

/** What a vendor was told, in its own words: the prompt, and behind it the client's own. */
function assertFirst(upstream: ScriptedUpstream, text: string): void {
  const asked = upstream.calls.at(-1)?.body.toString('utf8') ?? '';
  const [prompt, own, question] = [text, MINE, 'Say hello.'].map((each) => asked.indexOf(each));
  assert.ok(prompt !== -1 && own !== -1 && question !== -1, asked);
  assert.ok(Number(prompt) < Number(own), asked);
}

for (const [dialect, ask] of DIALECTS) {
  test(`${dialect}: every vendor gets the prompt before the client’s own`, async (t) => {
    const it = await scene(t);
    for (const [model, upstream] of Object.entries(it.upstreams)) {
      const answer = await post(it, ask(model));
      const text = await answer.text();

      assert.equal(answer.status, 200, `${model} ${text}`);
      assert.equal(answer.headers.get('x-esclusa-prompt'), ID_1);
      assert.equal(answer.headers.get('x-esclusa-dropped'), null);
      assertFirst(upstream, V1);
      assert.ok(!text.includes('You are a'), `${model} tells its client what it was told: ${text}`);
    }
  });
}

test('the version is in the ledger, in explain, and in the key of the cache', async (t) => {
  const it = await scene(t);
  const question = { model: 'openai', temperature: 0, messages: HELLO };
  const ask = async () => {
    const answer = await it.gateway.chat(question);
    await answer.text();
    return answer.headers;
  };

  const first = await ask();
  const again = await ask();
  const explained = await it.gateway.api('POST', '/api/v1/route/explain', question);
  await it.gateway.api('PUT', '/api/v1/flags/tutor_prompt', { percentage: 100 });
  const moved = await ask();

  assert.deepEqual([first.get('x-cache'), again.get('x-cache')], ['MISS', 'HIT']);
  assert.deepEqual(
    [moved.get('x-cache'), moved.get('x-esclusa-prompt'), moved.get('x-esclusa-arm')],
    ['MISS', ID_2, 'tutor_prompt/candidate'],
  );
  for (const [headers, prompt] of [
    [first, ID_1],
    [again, ID_1],
    [moved, ID_2],
  ] as const) {
    const row = await it.gateway.api('GET', `/api/v1/requests/${headers.get('x-request-id')}`);
    assert.equal(row.body.prompt, prompt);
  }
  assert.equal(explained.body.route.prompt, ID_1);
  const bare = await it.gateway.api('POST', '/api/v1/route/explain', {
    ...question,
    model: 'openai/mock',
  });
  assert.equal(bare.body.route.prompt, null);
  const added = explained.body.input_tokens - bare.body.input_tokens;
  assert.ok(added >= Math.floor(V1.length / 4), `${added} tokens for the prompt`);
});

test('what is kept of a request is what its client sent', async (t) => {
  const it = await scene(t, { capture: { enabled: true } });
  const answer = await it.gateway.chat({ model: 'openai', messages: HELLO });
  await answer.text();

  const path = `/api/v1/requests/${answer.headers.get('x-request-id')}`;
  const kept = await until('the bodies to be kept', async () => {
    const { body } = await it.gateway.api('GET', path);
    return body.request_body === null ? null : body.request_body;
  });

  assert.deepEqual(JSON.parse(kept), { model: 'openai', messages: HELLO });
});

test('another text under the same version is told apart, without a restart', async (t) => {
  const it = await scene(t);
  const idOf = async () => {
    const answer = await it.gateway.chat({ model: 'plain', messages: HELLO });
    await answer.text();
    return answer.headers.get('x-esclusa-prompt');
  };
  const with1 = (text: string) =>
    it.gateway.configure({
      providers: { mock: { kind: 'mock' } },
      prompts: { tutor: { v1: text } },
      models: { plain: { targets: [{ provider: 'mock', model: 'mock' }], prompt: 'tutor@v1' } },
    });

  await with1(V1);
  const before = await idOf();
  await with1(V2);
  const after = await idOf();

  assert.deepEqual([before, after], [ID_1, `tutor@v1#${ID_2.split('#')[1]}`]);
});

test('tokens are counted with it, embeddings go without it, bare texts are refused', async (t) => {
  const it = await scene(t);
  const { openai, claude, google } = it.upstreams as Record<string, ScriptedUpstream>;
  const count = { model: 'claude', system: MINE, messages: HELLO };

  const counted = await post(it, ['/v1/messages/count_tokens', count]);
  const told = await post(it, [
    '/v1beta/models/google:countTokens',
    { contents: [{ role: 'user', parts: [{ text: 'Say hello.' }] }] },
  ]);
  const embedded = await post(it, ['/v1/embeddings', { model: 'openai', input: 'hola' }]);
  const bare = await post(it, ['/v1/completions', { model: 'openai', prompt: 'hola' }]);

  assert.deepEqual([counted.status, told.status, embedded.status], [200, 200, 200]);
  assert.ok(claude?.calls.at(-1)?.body.toString('utf8').includes(V1));
  assert.ok(google?.calls.at(-1)?.body.toString('utf8').includes(V1));
  assert.deepEqual(JSON.parse(openai?.calls.at(-1)?.body.toString('utf8') ?? ''), {
    ...{ model: 'mock', input: 'hola' },
  });
  assert.equal(bare.status, 400);
  assert.equal(((await bare.json()) as Refusal).error.code, 'model_unsupported_operation');
});

interface Refusal {
  readonly error: { readonly code: string };
}

test('a version whose calls fail is taken back by itself, and nobody gets it again', async (t) => {
  const resilience = { breaker: { failure_threshold: 10_000 }, retry: { attempts: 1 } };
  const it = await scene(t, { flags: { rollout_seconds: 0.2 }, resilience });
  const { gateway, upstreams } = it;
  const upstream = upstreams.openai as ScriptedUpstream;
  const keys = await Promise.all(Array.from({ length: 10 }, () => gateway.key()));
  await gateway.api('PUT', '/api/v1/flags/tutor_prompt', { by: 'user', percentage: 0 });
  const begun = await gateway.api('PUT', '/api/v1/flags/tutor_prompt/rollout', {
    steps: [50, 100].map((percentage) => ({ percentage, soak_seconds: 1, min_samples: 10 })),
    guards: { error_rate: 0.1, latency_ratio: null },
  });
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  let asked = 0;

  /** The vendor dislikes what the second version says: it fails every such call. */
  const round = async () => {
    for (const { id, secret } of keys) {
      asked += 1;
      const question = { model: 'openai', messages: [{ role: 'user', content: `q ${asked}` }] };
      const whose = { ...question, key_id: id };
      const { body } = await gateway.api('POST', '/api/v1/route/explain', whose);
      if (body.route.prompt === ID_2) upstream.next('status=500');
      await (await gateway.chat(question, secret)).text();
      upstream.forget();
    }
  };
  const flag = await until(
    'the version to be taken back',
    async () => {
      await round();
      const { body } = await gateway.api('GET', '/api/v1/flags/tutor_prompt');
      return body.rollout.status === 'running' ? null : body;
    },
    20_000,
  );

  assert.deepEqual(
    [flag.rollout.status, flag.rollout.reason, flag.percentage],
    ['rolled_back', 'error_rate', 0],
  );
  const answer = await gateway.chat({ model: 'openai', messages: HELLO }, keys[0]?.secret);
  await answer.text();
  assert.deepEqual([answer.status, answer.headers.get('x-esclusa-prompt')], [200, ID_1]);
});
