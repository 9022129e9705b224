/**
 * The nesting order around a call to one target, with all policies real and only the clock,
 * the die and the provider in hand.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, GatewayError } from '../../../src/gateway/model/errors.ts';
import type { Target } from '../../../src/gateway/model/target.ts';
import { createBreakerRegistry } from '../../../src/gateway/resilience/breaker-registry.ts';
import { createBulkheads } from '../../../src/gateway/resilience/bulkhead.ts';
import { createFirstTokenBook } from '../../../src/gateway/resilience/first-token-budget.ts';
import { createPolicyStack } from '../../../src/gateway/resilience/policy-stack.ts';
import { createRetryBudgets } from '../../../src/gateway/resilience/retry.ts';
import { deadlineIn } from '../../../src/kernel/deadline.ts';
import { codeOf } from '../../support/gateway-error.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';
import { TARGET } from '../pipeline/fakes.ts';

const UP: Target = {
  ...TARGET,
  id: 'up/m',
  provider: 'up',
  retry: { attempts: 3, budgetRatio: 0.2 },
  breaker: {
    failureThreshold: 5,
    successThreshold: 2,
    openMs: 60_000,
    halfOpenMaxCalls: 3,
    minimumCalls: 5,
  },
  maxConcurrency: 2,
};

const ONCE: Target = { ...UP, retry: { attempts: 1, budgetRatio: 0.2 }, maxConcurrency: 100 };

/** What a provider does at each attempt, in turn; the last one for ever. */
type Script = readonly (string | null | GatewayError)[];

function setUp() {
  const clock = createManualClock();
  const random = { float: () => 0.5, bytes: (length: number) => new Uint8Array(length) };
  const breakers = createBreakerRegistry({ clock });
  const bulkheads = createBulkheads();
  const stack = createPolicyStack({
    clock,
    random,
    breakers,
    bulkheads,
    retryBudgets: createRetryBudgets(clock),
    firstTokens: createFirstTokenBook(),
  });
  const calls: string[] = [];

  function call(target: Target, signal: AbortSignal, totalMs = 1000, streamed = false) {
    return { target, deadline: deadlineIn(clock, totalMs), signal, streamed };
  }

  function run(script: Script, options: { target?: Target; totalMs?: number } = {}) {
    const { target = UP, totalMs = 600_000 } = options;
    const abort = new AbortController();
    let attempts = 0;
    const guarded = call(target, abort.signal, totalMs);
    const held = stack.run(guarded, calls, async (context, { target: to }) => {
      context.push(to.id);
      const outcome = script[Math.min(attempts, script.length - 1)] as Script[number];
      attempts += 1;
      if (outcome instanceof GatewayError) throw outcome;
      return outcome;
    });
    held.catch(() => undefined);
    return { held, abort };
  }

  return { clock, breakers, bulkheads, stack, calls, call, run };
}

function error(code: ErrorCode, retryAfterMs?: number): GatewayError {
  return new GatewayError(code, retryAfterMs === undefined ? {} : { retryAfterMs });
}

const BAD = error('upstream_failed');

test('a call that succeeds is made once and holds a place until it is finished', async () => {
  const { bulkheads, calls, run } = setUp();

  const held = await run(['answer']).held;
  assert.equal(bulkheads.running('up'), 1);
  held.finish(null);
  held.finish(null);

  assert.equal(held.value, 'answer');
  assert.deepEqual(calls, ['up/m']);
  assert.equal(bulkheads.running('up'), 0);
});

test('B-03: an answer of null is an answer, not a refusal', async () => {
  const { run, breakers } = setUp();

  const held = await run([null]).held;

  assert.equal(held.value, null);
  assert.equal(breakers.snapshot()[0]?.totalSuccesses, 1);
});

test('a passing failure is tried again after a pause, without holding a place', async () => {
  const { clock, bulkheads, calls, run } = setUp();

  const { held } = run([BAD, BAD, 'answer']);
  await until('the first pause', () => clock.pendingTimers() === 1);
  assert.equal(bulkheads.running('up'), 0);
  clock.advance(49);
  assert.equal(calls.length, 1);
  clock.advance(1);
  await until('the second pause', () => clock.pendingTimers() === 1);
  clock.advance(100);

  assert.equal((await held).value, 'answer');
  assert.equal(calls.length, 3);
});

test('when the attempts are used up the last error is thrown as it was', async () => {
  const { clock, calls, run } = setUp();
  const last = error('upstream_timeout');

  const { held } = run([BAD, BAD, last]);
  await until('the first pause', () => clock.pendingTimers() === 1);
  clock.advance(50);
  await until('the second pause', () => clock.pendingTimers() === 1);
  clock.advance(100);

  await assert.rejects(held, (thrown) => thrown === last);
  assert.equal(calls.length, 3);
  assert.equal(clock.pendingTimers(), 0);
});

for (const code of [
  'upstream_rejected',
  'upstream_not_found',
  'upstream_unprocessable',
  'upstream_too_large',
  'upstream_credentials',
  'upstream_quota_exhausted',
  'internal_error',
] as const) {
  test(`forty ${code} are forty calls, and the breaker stays closed`, async () => {
    const { calls, bulkheads, breakers, run } = setUp();

    for (let i = 0; i < 40; i += 1) assert.equal(await codeOf(run([error(code)]).held), code);

    assert.equal(calls.length, 40);
    assert.equal(breakers.snapshot()[0]?.state, 'closed');
    assert.equal(breakers.snapshot()[0]?.totalFailures, 0);
    assert.equal(bulkheads.running('up'), 0);
  });
}

test('a pause asked for that is short is kept, a long one ends the attempts', async () => {
  const { clock, calls, run } = setUp();

  const short = run([error('upstream_rate_limited', 1000), 'answer']);
  await until('the pause', () => clock.pendingTimers() === 1);
  clock.advance(1049);
  assert.equal(calls.length, 1);
  clock.advance(1);
  assert.equal((await short.held).value, 'answer');
  const long = run([error('upstream_rate_limited', 3000), 'answer']);

  assert.equal(await codeOf(long.held), 'upstream_rate_limited');
  assert.equal(calls.length, 3);
});

test('a pause that does not fit the deadline is not begun', async () => {
  const { clock, calls, run } = setUp();

  const tight = run([BAD, 'answer'], { totalMs: 50 });
  assert.equal(await codeOf(tight.held), 'upstream_failed');
  const fitting = run([BAD, 'answer'], { totalMs: 51 });
  await until('the pause', () => clock.pendingTimers() === 1);
  clock.advance(50);

  assert.equal((await fitting.held).value, 'answer');
  assert.equal(calls.length, 3);
});

test('leaving during a pause ends it at once with the reason, and no attempt follows', async () => {
  const { clock, calls, bulkheads, run } = setUp();
  const { held, abort } = run([BAD, 'answer']);
  await until('the pause', () => clock.pendingTimers() === 1);

  abort.abort(error('client_closed'));

  assert.equal(await codeOf(held), 'client_closed');
  assert.equal(clock.pendingTimers(), 0);
  assert.equal(calls.length, 1);
  assert.equal(bulkheads.running('up'), 0);
});

test('a signal that aborted before sends nothing and touches nothing', async () => {
  const { stack, breakers, calls, call } = setUp();
  const signal = AbortSignal.abort(error('client_closed'));

  const held = stack.run(call(UP, signal), calls, async () => 'answer');

  assert.equal(await codeOf(held), 'client_closed');
  assert.equal(breakers.snapshot()[0]?.totalSuccesses, 0);
  assert.deepEqual(calls, []);
});

test('a caller that leaves counts against nobody, however its call then fails', async () => {
  const { stack, breakers, bulkheads, call } = setUp();
  const abort = new AbortController();

  const held = stack.run(call(UP, abort.signal), null, async () => {
    abort.abort(error('client_closed'));
    throw error('upstream_unreachable');
  });

  assert.equal(await codeOf(held), 'client_closed');
  assert.equal(breakers.snapshot()[0]?.totalFailures, 0);
  assert.equal(bulkheads.running('up'), 0);
});

test('U6: a hundred failing requests make at most a hundred and twenty calls', async () => {
  const { clock, calls, run } = setUp();
  const patient = { ...UP, maxConcurrency: 1000, breaker: { ...UP.breaker, minimumCalls: 1000 } };

  const runs = Array.from({ length: 100 }, () => run([BAD], { target: patient }));
  await until('every pause', () => clock.pendingTimers() > 0);
  for (let i = 0; i < 20; i += 1) {
    clock.advance(400);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await Promise.allSettled(runs.map((one) => one.held));

  assert.equal(calls.length, 120);
});

test('a breaker that opened refuses at once, with the time until it can be tried', async () => {
  const { clock, calls, stack, run } = setUp();
  for (let i = 0; i < 5; i += 1) await codeOf(run([BAD], { target: ONCE }).held);
  clock.advance(1000);

  const refused = run(['answer']).held;

  assert.equal(await codeOf(refused), 'no_target_available');
  await assert.rejects(refused, { retryAfterMs: 59_000 });
  assert.equal(calls.length, 5);
  assert.deepEqual(stack.availability(UP), {
    kind: 'unavailable',
    reason: 'breaker_open',
    retryAfterMs: 59_000,
  });
});

test('a failure that opens the breaker is not tried again, and is the error given', async () => {
  const { clock, calls, run } = setUp();
  for (let i = 0; i < 4; i += 1) await codeOf(run([BAD], { target: ONCE }).held);

  assert.equal(await codeOf(run([error('upstream_timeout'), 'answer']).held), 'upstream_timeout');
  assert.equal(calls.length, 5);
  assert.equal(clock.pendingTimers(), 0);
});

test('a breaker that opens during a pause ends the call with its own error', async () => {
  const { clock, calls, run } = setUp();
  const { held } = run([error('upstream_timeout'), 'answer']);
  await until('the pause', () => clock.pendingTimers() === 1);
  for (let i = 0; i < 4; i += 1) await codeOf(run([BAD], { target: ONCE }).held);

  clock.advance(50);

  assert.equal(await codeOf(held), 'upstream_timeout');
  assert.equal(calls.length, 5);
});

test('U13: of sixty callers at the end of the pause only the probes get through', async () => {
  const { clock, calls, stack, call, run, breakers } = setUp();
  for (let i = 0; i < 5; i += 1) await codeOf(run([BAD], { target: ONCE }).held);
  clock.advance(60_000);
  calls.length = 0;
  let release = (): void => undefined;
  const healed = new Promise<void>((resolve) => {
    release = resolve;
  });

  const signal = new AbortController().signal;
  const herd = Array.from({ length: 60 }, () =>
    stack.run(call(ONCE, signal), calls, async (context) => {
      context.push('probe');
      await healed;
      return 'answer';
    }),
  );
  const outcomes = Promise.allSettled(herd);
  assert.equal(calls.length, 3);
  release();

  const settled = await outcomes;
  assert.equal(settled.filter((one) => one.status === 'fulfilled').length, 3);
  assert.equal(breakers.snapshot()[0]?.state, 'closed');
});

test('probes that end ignored or by leaving give their permits back', async () => {
  const { clock, run } = setUp();
  for (let i = 0; i < 5; i += 1) await codeOf(run([BAD], { target: ONCE }).held);
  clock.advance(60_000);

  for (let i = 0; i < 10; i += 1) {
    assert.equal(await codeOf(run([error('upstream_rejected')]).held), 'upstream_rejected');
  }

  assert.equal((await run(['answer']).held).value, 'answer');
});

test('a full provider refuses with a time, and a place given back is taken again', async () => {
  const { stack, calls, run } = setUp();
  const first = await run(['answer']).held;
  const second = await run(['answer']).held;

  const refused = run(['answer']).held;
  assert.equal(await codeOf(refused), 'overloaded');
  await assert.rejects(refused, { retryAfterMs: 1000 });
  assert.equal(stack.availability(UP).kind, 'unavailable');
  first.finish(null);

  assert.equal(stack.availability(UP).kind, 'available');
  assert.equal((await run(['answer']).held).value, 'answer');
  assert.equal(calls.length, 3);
  second.finish(null);
});

test('a full provider costs the breaker no probe', async () => {
  const { clock, run, breakers } = setUp();
  const narrow = { ...ONCE, maxConcurrency: 1, breaker: { ...UP.breaker, halfOpenMaxCalls: 1 } };
  const other = { ...narrow, id: 'up/other' };
  const blocking = await run(['answer'], { target: other }).held;
  blocking.finish(null);
  for (let i = 0; i < 5; i += 1) await codeOf(run([BAD], { target: narrow }).held);
  clock.advance(60_000);
  const holding = await run(['answer'], { target: other }).held;

  assert.equal(await codeOf(run(['answer'], { target: narrow }).held), 'overloaded');
  holding.finish(null);
  const probe = await run(['answer'], { target: narrow }).held;

  assert.equal(probe.value, 'answer');
  assert.equal(breakers.snapshot().find((one) => one.name === 'up/m')?.state, 'half_open');
});

test('a provider that fills up during a pause ends the call with its own error', async () => {
  const { clock, run } = setUp();
  const { held } = run([error('upstream_timeout'), 'answer']);
  await until('the pause', () => clock.pendingTimers() === 1);
  const holding = [await run(['answer']).held, await run(['answer']).held];

  clock.advance(50);

  assert.equal(await codeOf(held), 'upstream_timeout');
  for (const one of holding) one.finish(null);
});

test('streams that break after their first piece open the breaker', async () => {
  const { breakers, bulkheads, run } = setUp();

  for (let i = 0; i < 5; i += 1) {
    const held = await run(['first piece'], { target: ONCE }).held;
    held.finish(error('upstream_truncated'));
    held.finish(error('upstream_truncated'));
  }

  assert.equal(breakers.snapshot()[0]?.state, 'open');
  assert.equal(breakers.snapshot()[0]?.totalFailures, 5);
  assert.equal(bulkheads.running('up'), 0);
});

test('a stream whose client leaves counts as nothing but its good beginning', async () => {
  const { breakers, run } = setUp();

  for (let i = 0; i < 20; i += 1) {
    (await run(['first piece'], { target: ONCE }).held).finish(error('client_closed'));
  }

  assert.equal(breakers.snapshot()[0]?.state, 'closed');
  assert.equal(breakers.snapshot()[0]?.totalFailures, 0);
});

test('a target silent for most of the time is blamed for the deadline', async () => {
  const { clock, stack, breakers, call } = setUp();
  const target = { ...ONCE, timeouts: { ...ONCE.timeouts, totalMs: 10_000 } };
  const silentFor = async (ms: number): Promise<void> => {
    const abort = new AbortController();
    const held = stack.run(call(target, abort.signal), null, () => {
      clock.advance(ms);
      abort.abort(error('deadline_exceeded'));
      return Promise.reject(error('client_closed'));
    });
    assert.equal(await codeOf(held), 'deadline_exceeded');
  };

  for (let i = 0; i < 20; i += 1) await silentFor(1);
  assert.equal(breakers.snapshot()[0]?.totalFailures, 0, 'another one had used the time up');
  for (let i = 0; i < 5; i += 1) await silentFor(5000);

  assert.equal(breakers.snapshot()[0]?.state, 'open');
  assert.equal(breakers.snapshot()[0]?.totalFailures, 5);
});

test('a client that leaves a silent target counts against nobody', async () => {
  const { clock, stack, breakers, call } = setUp();
  for (let i = 0; i < 20; i += 1) {
    const abort = new AbortController();
    const held = stack.run(call(ONCE, abort.signal), null, () => {
      clock.advance(ONCE.timeouts.totalMs);
      abort.abort(error('client_closed'));
      return Promise.reject(error('client_closed'));
    });
    await codeOf(held);
  }

  assert.equal(breakers.snapshot()[0]?.totalFailures, 0);
});

test('a target that asks for a pause is avoided that long, and can still be called', async () => {
  const { clock, stack, run } = setUp();

  await codeOf(run([error('upstream_rate_limited', 7000)], { target: ONCE }).held);
  assert.deepEqual(stack.availability(ONCE), {
    kind: 'unavailable',
    reason: 'resting',
    retryAfterMs: 7000,
  });
  assert.equal((await run(['answer'], { target: ONCE }).held).value, 'answer');
  clock.advance(7000);

  assert.deepEqual(stack.availability(ONCE), { kind: 'available' });
});

test('a rate limit without a time is a second’s rest, other failures are none', async () => {
  const { clock, stack, run } = setUp();

  await codeOf(run([error('upstream_unavailable')], { target: ONCE }).held);
  assert.equal(stack.availability(ONCE).kind, 'available');
  await codeOf(run([error('upstream_rate_limited')], { target: ONCE }).held);
  clock.advance(999);
  assert.equal(stack.availability(ONCE).kind, 'unavailable');
  clock.advance(1);

  assert.equal(stack.availability(ONCE).kind, 'available');
});

test('streams that begin slowly make a target avoided, plain answers do not', async () => {
  const { clock, stack, calls, call } = setUp();
  const slow = { ...ONCE, breaker: { ...ONCE.breaker, slowCallMs: 5000 } };
  const { signal } = new AbortController();
  const begin = (streamed: boolean) =>
    stack.run(call(slow, signal, 10_000, streamed), calls, async () => {
      clock.advance(5000);
      return 'first piece';
    });

  for (let i = 0; i < 10; i += 1) (await begin(false)).finish(null);
  assert.equal(stack.availability(slow).kind, 'available');
  clock.advance(60_000);
  for (let i = 0; i < 5; i += 1) (await begin(true)).finish(null);

  const state = stack.availability(slow);
  assert.equal(state.kind === 'unavailable' && state.reason, 'breaker_slow');
  assert.equal((await begin(true)).value, 'first piece');
});

test('the limit of the first token follows the target’s history', async () => {
  const { clock, stack, call } = setUp();
  const range = { firstTokenRange: { minMs: 100, maxMs: 5000 } };
  const target = { ...ONCE, timeouts: { ...ONCE.timeouts, ...range } };
  const { signal } = new AbortController();
  const limits: number[] = [];
  const begin = async (streamed: boolean, tookMs: number, outcome: GatewayError | null) => {
    const attempt = async (_: null, __: unknown, firstByteMs: number): Promise<string> => {
      limits.push(firstByteMs);
      clock.advance(tookMs);
      if (outcome !== null) throw outcome;
      return 'first piece';
    };
    await stack.run(call(target, signal, 10_000, streamed), null, attempt).catch(() => undefined);
  };

  for (let i = 0; i < 10; i += 1) await begin(true, 60, null);
  await begin(false, 1, null);
  await begin(true, 180, error('upstream_timeout'));
  await begin(true, 5, error('upstream_timeout'));
  await begin(true, 5, null);

  const { firstTokenMs, totalMs } = ONCE.timeouts;
  assert.deepEqual(
    limits.slice(0, 10),
    Array.from({ length: 10 }, () => firstTokenMs),
  );
  assert.deepEqual(limits.slice(10), [totalMs, 180, 360, 360]);
});
