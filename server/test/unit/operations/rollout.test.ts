/**
 * Plans that raise a flag: when a step is left, when it is taken back, and what never happens.
 * Decisions are pure; the runner is run by hand over flags and figures in memory.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RolloutPlan } from '@esclusa/contracts';
import fc from 'fast-check';
import { silentLog } from '../../../src/kernel/log.ts';
import {
  type ArmFigures,
  applied,
  beginRollout,
  decide,
} from '../../../src/operations/flags/rollout.ts';
import { defaultOf, type RolloutEvent, startRollouts } from '../../../src/operations/index.ts';
import type { FlagRecord } from '../../../src/operations/ports/flag-repository.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { memoryFlags } from '../../support/memory-flags.ts';

const SOAK_SECONDS = 60;
const PLAN: RolloutPlan = {
  steps: [10, 50, 100].map((percentage) => ({
    percentage,
    soak_seconds: SOAK_SECONDS,
    min_samples: 20,
  })),
  guards: { error_rate: 0.05, latency_ratio: 1.5, cost_ratio: 2 },
};
const SOAKED_MS = SOAK_SECONDS * 1000;

function arm(samples: number, failures = 0, p95_ms = 100, mean_cost_nanousd = 1000): ArmFigures {
  const bounds = { p95_low_ms: p95_ms, p95_high_ms: p95_ms };
  return { samples, failures, p95_ms, ...bounds, mean_cost_nanousd };
}

function decided(candidate: ArmFigures, control: ArmFigures, nowMs = SOAKED_MS) {
  return decide(beginRollout(PLAN, 0), { candidate, control }, nowMs);
}

describe('a step of a plan', () => {
  it('is left upwards after its time and with its samples', () => {
    assert.deepEqual(decided(arm(20), arm(200)), { kind: 'advance' });
  });

  it('is held a moment before its time, and one sample short', () => {
    assert.deepEqual(decided(arm(20), arm(200), SOAKED_MS - 1), { kind: 'hold' });
    assert.deepEqual(decided(arm(19), arm(200)), { kind: 'hold' });
  });

  it('is taken back for failures beyond those of the old arm, and not for as many', () => {
    const asBad = decided(arm(100, 20), arm(100, 18));
    const worse = decided(arm(100, 20), arm(100, 10));

    assert.deepEqual(asBad, { kind: 'advance' });
    assert.deepEqual(worse, { kind: 'roll_back', guard: 'error_rate' });
  });

  it('is taken back early where failures are no chance, and not for the first of them', () => {
    assert.deepEqual(decided(arm(10, 5), arm(100), 1), { kind: 'roll_back', guard: 'error_rate' });
    assert.deepEqual(decided(arm(4, 4), arm(100), 1), { kind: 'hold' });
    assert.deepEqual(decided(arm(10, 1), arm(100), 1), { kind: 'hold' });
  });

  it('is taken back for slowness and for cost, as far as these are looked at', () => {
    const slow = decided(arm(20, 0, 151), arm(100, 0, 100));
    const dear = decided(arm(20, 0, 100, 2001), arm(100, 0, 100, 1000));
    const plan = { ...PLAN, guards: { error_rate: null, latency_ratio: null, cost_ratio: null } };
    const figures = { candidate: arm(20, 20, 9999, 9999), control: arm(20) };

    assert.deepEqual(slow, { kind: 'roll_back', guard: 'latency_ratio' });
    assert.deepEqual(dear, { kind: 'roll_back', guard: 'cost_ratio' });
    assert.deepEqual(decide(beginRollout(plan, 0), figures, SOAKED_MS), { kind: 'advance' });
  });

  it('of all callers is compared with what the old arm last did', () => {
    const last = { ...beginRollout(PLAN, 0), step: 2, control: arm(100, 0, 100) };

    const slow = decide(last, { candidate: arm(50, 0, 400), control: arm(0) }, SOAKED_MS);
    const good = decide(last, { candidate: arm(50, 0, 100), control: arm(0) }, SOAKED_MS);

    assert.deepEqual([slow.kind, good.kind], ['roll_back', 'complete']);
  });

  it('is not compared with a few stragglers of the old arm', () => {
    const last = { ...beginRollout(PLAN, 0), step: 2, control: arm(100, 0, 100) };
    const quick = arm(11, 0, 40);
    const failing = arm(2, 2);

    const good = decide(last, { candidate: arm(50, 0, 100), control: quick }, SOAKED_MS);
    const bad = decide(last, { candidate: arm(50, 25), control: failing }, SOAKED_MS);

    assert.deepEqual([good.kind, bad.kind], ['complete', 'roll_back']);
  });

  it('is not taken back for a slowness that chance explains', () => {
    const unsure = { ...arm(20, 0, 160), p95_low_ms: 120 };
    const wide = { ...arm(100, 0, 100), p95_high_ms: 140 };

    assert.deepEqual(decided(unsure, arm(100, 0, 100)), { kind: 'advance' });
    assert.deepEqual(decided(arm(20, 0, 160), wide), { kind: 'advance' });
    assert.equal(decided(arm(20, 0, 211), wide).kind, 'roll_back');
  });
});

describe('any plan over any figures', () => {
  const figures = fc.record({
    samples: fc.integer({ min: 0, max: 500 }),
    failed: fc.double({ min: 0, max: 1, noNaN: true }),
    p95_ms: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }), { nil: null }),
    p95_low_ms: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }), { nil: null }),
    p95_high_ms: fc.option(fc.double({ min: 0, max: 1e5, noNaN: true }), { nil: null }),
    mean_cost_nanousd: fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: null }),
  });
  const armFigures = figures.map(({ failed, ...rest }) => ({
    ...rest,
    failures: Math.floor(rest.samples * failed),
  }));
  const walk = fc.array(
    fc.record({ candidate: armFigures, control: armFigures, afterMs: fc.nat(2 * SOAKED_MS) }),
    { maxLength: 30 },
  );

  it('never skips a step, never rises unsoaked, and stays at nobody once taken back', () => {
    fc.assert(
      fc.property(walk, (looks) => {
        let nowMs = 0;
        let record = recordOf(PLAN);
        for (const { candidate, control, afterMs } of looks) {
          nowMs += afterMs;
          const { rollout } = record;
          assert.ok(rollout !== null);
          const soakedMs = nowMs - Date.parse(rollout.step_since);
          const decision = decide(rollout, { candidate, control }, nowMs);
          const next = applied(record, decision, { candidate, control }, nowMs) ?? record;
          if (rollout.status !== 'running') assert.equal(next, record);
          if (next.percentage > record.percentage) {
            assert.ok(soakedMs >= SOAKED_MS && candidate.samples >= 20);
            assert.equal(next.rollout?.step, rollout.step + 1);
          }
          if (next.percentage < record.percentage) {
            assert.deepEqual([next.percentage, next.rollout?.status], [0, 'rolled_back']);
          }
          record = next;
        }
      }),
    );
  });

  it('that finds nothing wrong reaches everybody', () => {
    let record = recordOf(PLAN);
    for (let at = 1; at <= 3; at += 1) {
      const { rollout } = record;
      assert.ok(rollout !== null);
      const good = { candidate: arm(20), control: arm(at === 3 ? 0 : 20) };
      record =
        applied(record, decide(rollout, good, at * SOAKED_MS), good, at * SOAKED_MS) ?? record;
    }

    assert.deepEqual([record.percentage, record.rollout?.status], [100, 'completed']);
  });
});

describe('who carries plans out', () => {
  it('is one of several, and tells it once', async () => {
    const clock = createManualClock(0);
    const repository = memoryFlags();
    repository.rows.set('x', recordOf(PLAN));
    const told: RolloutEvent[] = [];
    const run = () =>
      startRollouts({
        ...{ repository, clock, log: silentLog, intervalMs: 1000 },
        figures: { read: async () => ({ candidate: arm(100, 20), control: arm(100) }) },
        refresh: async () => undefined,
        tell: (event) => told.push(event),
      });
    const runners = [run(), run(), run()];

    await Promise.all(runners.map((runner) => runner.run()));

    assert.deepEqual(told, [
      {
        flag: 'x',
        kind: 'roll_back',
        percentage: 0,
        guard: 'error_rate',
        samples: 100,
        failures: 20,
      },
    ]);
    assert.deepEqual(
      [repository.rows.get('x')?.percentage, repository.rows.get('x')?.version],
      [0, 2],
    );
    for (const runner of runners) runner.stop();
  });

  it('leaves everything as it is while the figures cannot be read', async () => {
    const clock = createManualClock(0);
    const repository = memoryFlags();
    const record = recordOf(PLAN);
    repository.rows.set('x', record);
    const runner = startRollouts({
      ...{ repository, clock, log: silentLog, intervalMs: 1000 },
      figures: { read: () => Promise.reject(new Error('the database is away')) },
      refresh: async () => undefined,
      tell: () => assert.fail('nothing was decided'),
    });

    await runner.run();
    runner.stop();

    assert.equal(repository.rows.get('x'), record);
  });
});

function recordOf(plan: RolloutPlan): FlagRecord {
  const rollout = beginRollout(plan, 0);
  const base = { ...defaultOf('x'), name: 'x', enabled: true, version: 1, rollout };
  return {
    ...base,
    percentage: plan.steps[0]?.percentage ?? 0,
    updatedAtMs: 0,
    updatedBy: 'key_a',
  };
}
