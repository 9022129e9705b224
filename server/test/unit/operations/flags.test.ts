/**
 * Flags as they are evaluated: shares are stable, close to what was asked, and a larger one
 * contains a smaller one. The real evaluator, flags in memory.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { createFlagEngine, defaultOf } from '../../../src/operations/index.ts';
import type { FlagDefinition } from '../../../src/operations/ports/flag-repository.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { flagControl } from '../../support/memory-flags.ts';

const OFF = { tenant: 't', user: 'u' };

async function engineOf(
  flags: Readonly<Record<string, Partial<FlagDefinition>>>,
  process = 'host',
) {
  const engine = createFlagEngine({ domain: `unit-${Math.random()}`, process });
  const whole = Object.entries(flags).map(([name, flag]) => [
    name,
    { ...defaultOf(name), enabled: true, ...flag },
  ]) as [string, FlagDefinition][];
  await engine.load(new Map(whole));
  return engine;
}

describe('a share of tenants', () => {
  it('is about as large as asked: 10 % of 20 000 are 9 to 11 %', async () => {
    const engine = await engineOf({ x: { percentage: 10 } });

    const tenants = Array.from({ length: 20_000 }, (_, at) => `tenant-${at}`);
    const on = tenants.filter((tenant) => engine.isOn('x', { tenant, user: 'u' }));

    assert.ok(on.length > 1800 && on.length < 2200, String(on.length));
  });

  it('contains every smaller one, and is the same for every process', async () => {
    const share = fc.integer({ min: 0, max: 100 });
    await fc.assert(
      fc.asyncProperty(
        share,
        share,
        fc.array(fc.string(), { maxLength: 50 }),
        async (a, b, names) => {
          const flags = { x: { percentage: Math.min(a, b) } };
          const [small, again, large] = await Promise.all([
            engineOf(flags),
            engineOf(flags, 'another host'),
            engineOf({ x: { percentage: Math.max(a, b) } }),
          ]);
          for (const tenant of names) {
            const subject = { tenant, user: 'u' };
            const isOn = small.isOn('x', subject);
            assert.equal(again.isOn('x', subject), isOn);
            if (isOn === true) assert.equal(large.isOn('x', subject), true);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('is another one for another flag', async () => {
    const engine = await engineOf({ x: { percentage: 50 }, y: { percentage: 50 } });

    const tenants = Array.from({ length: 1000 }, (_, at) => ({ tenant: `t${at}`, user: '' }));
    const differ = tenants.filter((each) => engine.isOn('x', each) !== engine.isOn('y', each));

    assert.ok(differ.length > 400 && differ.length < 600, String(differ.length));
  });

  it('has the tenants that are listed in it, unless the flag is off', async () => {
    const engine = await engineOf({
      x: { percentage: 0, tenants: ['acme'] },
      y: { enabled: false, percentage: 100, tenants: ['acme'] },
    });

    assert.equal(engine.isOn('x', { tenant: 'acme', user: '' }), true);
    assert.equal(engine.isOn('x', { tenant: 'other', user: '' }), false);
    assert.equal(engine.isOn('y', { tenant: 'acme', user: '' }), false);
  });
});

describe('a share of callers', () => {
  it('goes by the caller and not by the tenant', async () => {
    const engine = await engineOf({ x: { percentage: 50, by: 'user' } });

    const callers = Array.from({ length: 400 }, (_, at) => ({ tenant: 'one', user: `key_${at}` }));
    const on = callers.filter((caller) => engine.isOn('x', caller));

    assert.ok(on.length > 140 && on.length < 260, String(on.length));
  });
});

describe('an evaluation', () => {
  it('says through OpenFeature what it is and why', async () => {
    const engine = await engineOf({
      x: { percentage: 0, tenants: ['acme'] },
      y: { percentage: 100 },
    });

    const listed = await engine.evaluate('x', { tenant: 'acme', user: '' });
    const all = await engine.evaluate('y', OFF);
    await engine.close();

    assert.deepEqual(listed, { value: true, variant: 'on', reason: 'TARGETING_MATCH' });
    assert.deepEqual(all, { value: true, variant: 'on', reason: 'STATIC' });
  });

  it('of a flag that nobody made is off, and a protection is on', async () => {
    const flags = flagControl(createManualClock());

    assert.equal((await flags.evaluate('unknown', OFF)).value, false);
    assert.equal((await flags.evaluate('circuit_breaker', OFF)).value, true);
  });
});

describe('a change', () => {
  it('of the share turns a flag on, and none of it changes the rest', async () => {
    const flags = flagControl(createManualClock());

    const made = await flags.update('x', { percentage: 10 }, 'key_a');
    const off = await flags.update('x', { enabled: false }, 'key_b');

    assert.deepEqual([made.record?.enabled, made.record?.percentage], [true, 10]);
    assert.deepEqual([off.record?.enabled, off.record?.percentage], [false, 10]);
    assert.deepEqual([off.record?.version, off.record?.updatedBy], [2, 'key_b']);
  });

  it('of a flag of the process leaves what its share is counted in', async () => {
    const flags = flagControl(createManualClock());

    const { record } = await flags.update('circuit_breaker', { by: 'user' }, 'key_a');

    assert.equal(record?.by, 'process');
  });

  it('by hand ends the plan that was raising it', async () => {
    const flags = flagControl(createManualClock());
    const steps = [{ percentage: 10, soak_seconds: 1, min_samples: 0 }];
    const guards = { error_rate: 0.1, latency_ratio: null, cost_ratio: null };
    await flags.roll('x', { steps, guards }, 'key_a');

    const { record } = await flags.update('x', { percentage: 70 }, 'key_a');

    assert.deepEqual([record?.rollout?.status, record?.percentage], ['cancelled', 70]);
  });

  it('taken back is what it was by default', async () => {
    const flags = flagControl(createManualClock());
    await flags.update('llm_cache', { enabled: false }, 'key_a');

    await flags.remove('llm_cache');

    assert.equal((await flags.get('llm_cache')).record, null);
    await assert.rejects(flags.remove('llm_cache'), { code: 'not_found' });
  });
});
