/**
 * Goal: a key that a provider refuses costs nobody an answer while another key works, and no
 * key ever shows. Method: the whole gateway with every kind of provider, each with two keys,
 * over real sockets that record which key they were sent.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { ANTHROPIC_KEY, startScriptedAnthropic } from '../support/scripted-anthropic/index.ts';
import { AZURE_KEY, startScriptedAzure } from '../support/scripted-azure/index.ts';
import { GEMINI_KEY, startScriptedGemini } from '../support/scripted-gemini/index.ts';
import { startScriptedOllama } from '../support/scripted-ollama/index.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { ask, assertFailed } from './asking.ts';

const FIRST_KEY = 'sk-first-0123456789abcdef';
const SECOND_KEY = 'sk-second-0123456789abcdef';
const MODEL = 'mock';

interface Kind {
  readonly kind: string;
  readonly start: () => Promise<ScriptedUpstream>;
  /** The key that its server takes, the second of its provider. */
  readonly key: string;
  readonly header: string;
}

const KINDS: readonly Kind[] = [
  { kind: 'openai', start: startScriptedUpstream, key: SECOND_KEY, header: 'authorization' },
  {
    ...{ kind: 'openai-compatible', start: startScriptedUpstream },
    ...{ key: SECOND_KEY, header: 'authorization' },
  },
  { kind: 'azure-openai', start: startScriptedAzure, key: AZURE_KEY, header: 'api-key' },
  { kind: 'anthropic', start: startScriptedAnthropic, key: ANTHROPIC_KEY, header: 'x-api-key' },
  { kind: 'gemini', start: startScriptedGemini, key: GEMINI_KEY, header: 'x-goog-api-key' },
  { kind: 'ollama', start: startScriptedOllama, key: SECOND_KEY, header: 'authorization' },
];

/** As the provider refuses a key, and what the metric calls that. */
const REFUSALS = [401, 402, 403, 429] as const;

const servers = new Map<string, ScriptedUpstream>();
let gateway: TestGateway;
let vendor: ScriptedUpstream;

/** What each provider remembers of its keys is its own: one for each kind and refusal. */
function providersOf({ kind, key }: Kind): Record<string, object> {
  const base_url = servers.get(kind)?.url;
  const provider = { kind, base_url, api_keys: [FIRST_KEY, key] };
  return Object.fromEntries(REFUSALS.map((status) => [`${kind}-${status}`, provider]));
}

function configOf(further: Record<string, object> = {}) {
  const base_url = vendor.url;
  const two = { kind: 'openai-compatible', base_url, api_keys: [FIRST_KEY, SECOND_KEY] };
  return {
    providers: {
      ...Object.assign({}, ...KINDS.map(providersOf)),
      turns: { kind: 'openai-compatible', base_url, api_key: 'sk-own', api_keys: [FIRST_KEY] },
      ...{ refused: two, limited: two, reloaded: two, stuck: two },
      ...further,
    },
    models: {
      'around-refused': {
        targets: [
          { provider: 'stuck', model: MODEL },
          { provider: 'turns', model: MODEL },
        ],
      },
    },
    resilience: { retry: { attempts: 1 }, breaker: { failure_threshold: 1000 } },
  };
}

before(async () => {
  for (const { kind, start } of KINDS) servers.set(kind, await start());
  vendor = await startScriptedUpstream();
  gateway = await startGateway({ config: configOf() });
});

after(async () => {
  await gateway.close();
  await Promise.all([vendor, ...servers.values()].map((server) => server.close()));
});

beforeEach(() => {
  for (const server of [vendor, ...servers.values()]) server.forget();
});

/** The keys that an upstream was sent, in order. */
function keysSent(upstream: ScriptedUpstream, header = 'authorization'): string[] {
  return upstream.calls.map(({ headers }) => String(headers[header]).replace(/^Bearer /, ''));
}

async function metric(series: string): Promise<number> {
  const { body } = await gateway.api('GET', '/metrics');
  const line = String(body)
    .split('\n')
    .find((one) => one.startsWith(`${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

for (const { kind, key, header } of KINDS) {
  for (const status of REFUSALS) {
    for (const stream of [false, true]) {
      const how = `${kind}: ${stream ? 'a stream' : 'a plain answer'}`;

      test(`${how} whose key is refused with ${status} comes with the next`, async () => {
        const upstream = servers.get(kind);
        assert.ok(upstream !== undefined);
        if (!stream) upstream.next(`status=${status}`);

        const asked = await ask(gateway, { model: `${kind}-${status}/${MODEL}`, stream });

        assert.equal(asked.status, 200, asked.text);
        // The stream comes after the plain answer: the refused key rests by then.
        assert.deepEqual(keysSent(upstream, header), stream ? [key] : [FIRST_KEY, key]);
        assert.equal(asked.row.attempts, stream ? 1 : 2);
        assert.equal(asked.row.outcome, 'completed');
      });
    }
  }
}

test('calls take turns with the keys, `api_key` first', async () => {
  for (let i = 0; i < 4; i += 1) await ask(gateway, { model: `turns/${MODEL}` });

  assert.deepEqual(keysSent(vendor), ['sk-own', FIRST_KEY, 'sk-own', FIRST_KEY]);
});

test('when every key is refused the client gets 502, never 401, and no key', async () => {
  vendor.script(MODEL, 'status=401');

  const first = await ask(gateway, { model: `refused/${MODEL}` });
  const second = await ask(gateway, { model: `refused/${MODEL}`, stream: true });

  for (const asked of [first, second]) {
    assertFailed(asked, 502, 'upstream_credentials');
    assert.doesNotMatch(asked.text, /sk-first|sk-second/);
  }
  assert.deepEqual([first.row.attempts, second.row.attempts], [2, 1]);
  assert.equal(vendor.calls.length, 3, 'of keys that all rest, one is tried');
});

test('when every key is limited the client is told the soonest time', async () => {
  vendor.next('status=429,retry-after=3600');
  vendor.next('status=429,retry-after=7');

  const asked = await ask(gateway, { model: `limited/${MODEL}` });

  assert.equal(asked.status, 429, asked.text);
  assert.equal(asked.headers.get('retry-after'), '7');
  assert.equal(asked.headers.get('x-should-retry'), 'true');
  assert.equal(vendor.calls.length, 2);
});

test('a target whose keys are all refused is gone around', async () => {
  vendor.next('status=401');
  vendor.next('status=403');

  const asked = await ask(gateway, { model: 'around-refused' });

  assert.equal(asked.status, 200, asked.text);
  assert.equal(asked.headers.get('x-esclusa-provider'), 'turns');
  assert.equal(vendor.calls.length, 3);
});

test('what is not about the key is not tried with another one', async () => {
  vendor.script(MODEL, 'status=500');

  await ask(gateway, { model: `turns/${MODEL}` });

  assert.equal(vendor.calls.length, 1);
});

test('a refused key goes on resting when the configuration is read again', async () => {
  vendor.next('status=401');
  await ask(gateway, { model: `reloaded/${MODEL}` });
  await gateway.configure(configOf({ another: { kind: 'mock' } }));
  vendor.forget();

  for (let i = 0; i < 3; i += 1) await ask(gateway, { model: `reloaded/${MODEL}` });

  assert.deepEqual(keysSent(vendor), [SECOND_KEY, SECOND_KEY, SECOND_KEY]);
});

test('refusals are counted by the place of the key, and keys are shown nowhere', async () => {
  const series = 'esclusa_provider_key_refusals_total';
  const refused = `${series}{provider="reloaded",place="1",reason="credentials"}`;
  const { body: metrics } = await gateway.api('GET', '/metrics');
  const { body: config } = await gateway.api('GET', '/api/v1/config');

  assert.equal(await metric(refused), 1);
  assert.ok((await metric('esclusa_retries_total{provider="reloaded",kind="key"}')) >= 1);
  const shown = JSON.stringify([metrics, config]);
  for (const key of [FIRST_KEY, SECOND_KEY, 'sk-own', ...KINDS.map((one) => one.key)]) {
    assert.equal(shown.includes(key), false, key);
  }
});
