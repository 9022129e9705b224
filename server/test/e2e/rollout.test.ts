/**
 * Goal: a canary that fails is taken back by itself and nobody is sent to it any more; one that
 * is healthy reaches everybody. Method: the whole program, an alias with an experiment over two
 * scripted upstreams, plans with windows of a second.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const PRICE = { input_usd_per_million: 1, output_usd_per_million: 2 };
const KEYS = 16;
/** Every fifth call fails. */
const FAILS = 5;
const STEPS = [50, 100].map((percentage) => ({ percentage, soak_seconds: 1, min_samples: 15 }));
const GUARDS = { error_rate: 0.1, latency_ratio: null };

interface Scene {
  readonly gateway: TestGateway;
  readonly old: ScriptedUpstream;
  readonly next: ScriptedUpstream;
  readonly keys: readonly string[];
  /** Asks once with every key; answers how many were sent to each arm. */
  round(before?: () => void): Promise<{ control: number; candidate: number; failed: number }>;
  plan(): Promise<{ status: string; step: number; reason: string | null; percentage: number }>;
}

async function scene(t: TestContext): Promise<Scene> {
  const [old, next] = await Promise.all([startScriptedUpstream(), startScriptedUpstream()]);
  t.after(() => Promise.all([old.close(), next.close()]));
  const vendor = (base_url: string) => ({ kind: 'openai-compatible', base_url, api_key: 'sk-x' });
  const alias = (provider: string, more: object = {}) => ({
    ...{ targets: [{ provider, model: 'mock' }], price: PRICE, ...more },
  });
  const experiment = { flag: 'smart_next', candidate: 'smart-v2' };
  const gateway = await startGateway({
    config: {
      providers: { old: vendor(old.url), next: vendor(next.url) },
      models: { smart: alias('old', { experiment }), 'smart-v2': alias('next') },
      resilience: { breaker: { failure_threshold: 10_000 }, retry: { attempts: 1 } },
      flags: { rollout_seconds: 0.2 },
    },
  });
  t.after(() => gateway.close());
  const made = Array.from({ length: KEYS }, () => gateway.key());
  const keys = (await Promise.all(made)).map(({ secret }) => secret);
  await gateway.api('PUT', '/api/v1/flags/smart_next', { by: 'user', percentage: 0 });
  let asked = 0;
  return {
    ...{ gateway, old, next, keys },
    async round(before = () => undefined) {
      const sums = { control: 0, candidate: 0, failed: 0 };
      for (const key of keys) {
        asked += 1;
        before();
        const content = `question ${asked}`;
        const answer = await gateway.chat(
          { model: 'smart', messages: [{ role: 'user', content }] },
          key,
        );
        await answer.text();
        const arm = answer.headers.get('x-esclusa-arm');
        sums[arm === 'smart_next/candidate' ? 'candidate' : 'control'] += 1;
        if (answer.status !== 200) sums.failed += 1;
      }
      return sums;
    },
    async plan() {
      const { body } = await gateway.api('GET', '/api/v1/flags/smart_next');
      return { ...body.rollout, percentage: body.percentage };
    },
  };
}

async function auditOf({ gateway }: Scene, action: string) {
  const { body } = await gateway.api('GET', '/api/v1/audit?limit=50');
  return body.data.filter((entry: { action: string }) => entry.action === action);
}

test('a new arm that fails one call in five is taken back and nobody is sent there', async (t) => {
  const it = await scene(t);
  let failed = -1;
  const failEveryFifth = (): void => {
    const { length } = it.next.calls;
    if (length % FAILS !== FAILS - 1 || failed === length) return;
    failed = length;
    it.next.next('status=500');
  };

  const begun = await it.gateway.api('PUT', '/api/v1/flags/smart_next/rollout', {
    ...{ steps: STEPS, guards: GUARDS },
  });
  assert.equal(begun.status, 200, JSON.stringify(begun.body));
  const plan = await until(
    'the plan to be taken back',
    async () => {
      await it.round(failEveryFifth);
      const now = await it.plan();
      return now.status === 'running' ? null : now;
    },
    20_000,
  );

  assert.deepEqual([plan.status, plan.reason, plan.percentage], ['rolled_back', 'error_rate', 0]);
  assert.ok(plan.step <= 1);
  const after = await it.round();
  assert.deepEqual(after, { control: KEYS, candidate: 0, failed: 0 });
  const [entry] = await auditOf(it, 'flags.roll_back');
  assert.deepEqual([entry.subject, entry.actor], ['smart_next', 'rollout']);
  assert.equal(entry.details.guard, 'error_rate');
});

test('a healthy new arm reaches everybody, step by step', async (t) => {
  const it = await scene(t);
  const none = await it.round();
  assert.deepEqual(none, { control: KEYS, candidate: 0, failed: 0 });

  await it.gateway.api('PUT', '/api/v1/flags/smart_next/rollout', { steps: STEPS, guards: GUARDS });
  const first = await it.round();
  const plan = await until(
    'the plan to be complete',
    async () => {
      await it.round();
      const now = await it.plan();
      return now.status === 'running' ? null : now;
    },
    20_000,
  );

  assert.ok(first.candidate > 0 && first.control > 0, JSON.stringify(first));
  assert.deepEqual([plan.status, plan.step, plan.percentage], ['completed', 1, 100]);
  assert.deepEqual(await it.round(), { control: 0, candidate: KEYS, failed: 0 });
  assert.equal((await auditOf(it, 'flags.advance')).length, 1);
  assert.equal((await auditOf(it, 'flags.complete')).length, 1);
});

test('the arm is in the ledger, in what explain says, and in the key of the cache', async (t) => {
  const it = await scene(t);
  const question = {
    model: 'smart',
    temperature: 0,
    messages: [{ role: 'user', content: 'same' }],
  };
  const ask = async () => {
    const answer = await it.gateway.chat(question);
    await answer.text();
    return answer.headers;
  };

  await ask();
  const hit = await ask();
  await it.gateway.api('PUT', '/api/v1/flags/smart_next', { percentage: 100 });
  const moved = await ask();
  const row = await it.gateway.api('GET', `/api/v1/requests/${moved.get('x-request-id')}`);
  const explained = await it.gateway.api('POST', '/api/v1/route/explain', question);

  assert.deepEqual([hit.get('x-cache'), hit.get('x-esclusa-arm')], ['HIT', 'smart_next/control']);
  assert.deepEqual(
    [moved.get('x-cache'), moved.get('x-esclusa-provider'), row.body.arm],
    ['MISS', 'next', 'smart_next/candidate'],
  );
  assert.equal(explained.body.route.arm, 'smart_next/candidate');
  assert.equal(it.next.calls.length, 1);
});

test('experiments are listed with their flag and with the figures of both arms', async (t) => {
  const it = await scene(t);
  await it.round();
  await it.gateway.api('PUT', '/api/v1/flags/smart_next', { percentage: 100 });
  await it.round(() => it.next.next('status=500'));

  const { status, body } = await it.gateway.api('GET', '/api/v1/experiments?hours=1');
  const refused = await it.gateway.api('GET', '/api/v1/experiments?hours=0');

  assert.equal(status, 200, JSON.stringify(body));
  const [{ model, flag, control, candidate }, ...others] = body.data;
  assert.deepEqual([model, flag.name, flag.percentage, others], ['smart', 'smart_next', 100, []]);
  assert.deepEqual([control.targets, control.prompt], [['old/mock'], null]);
  assert.deepEqual([control.figures.samples, control.figures.failures], [KEYS, 0]);
  assert.deepEqual(candidate.targets, ['next/mock']);
  assert.deepEqual([candidate.figures.samples, candidate.figures.failures], [KEYS, KEYS]);
  assert.equal(refused.status, 400);
});

test('an experiment that leads nowhere, or to itself, stops the start', async () => {
  const targets = [{ provider: 'mock', model: 'mock' }];
  const start = (candidate: string) =>
    startGateway({
      config: {
        providers: { mock: { kind: 'mock' } },
        models: { a: { targets, experiment: { flag: 'x', candidate } } },
      },
    });

  await assert.rejects(start('a'), /is the alias itself/);
  await assert.rejects(start('nowhere'), /nowhere/);
});
