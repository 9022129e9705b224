/**
 * What checks at start come to: statuses, sums and times. The clock is moved by hand; the
 * checks are ours, so that each ends as the test says.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  fail,
  pass,
  type StartupCheck,
  type Verdict,
  validateStart,
  warning,
} from '../../../src/operations/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';

const OPTIONS = { startedMs: 0, budgetMs: 4500, failOnWarning: false };

function check(name: string, verdict: Verdict, critical = true): StartupCheck {
  return { name, critical, timeoutMs: 2000, run: () => verdict };
}

describe('checks at start', () => {
  it('are healthy where all pass, in the order of their importance', async () => {
    const clock = createManualClock();

    const found = await validateStart([check('b', pass('x')), check('a', pass('y'))], {
      ...OPTIONS,
      clock,
    });

    assert.deepEqual(
      [found.status, found.total_checks, found.passed, found.critical_failures],
      ['healthy', 2, 2, 0],
    );
    assert.deepEqual(
      found.results.map(({ name }) => name),
      ['b', 'a'],
    );
  });

  it('are unhealthy where one that is critical fails', async () => {
    const clock = createManualClock();

    const found = await validateStart([check('database', fail('away'))], { ...OPTIONS, clock });

    assert.deepEqual([found.status, found.critical_failures], ['unhealthy', 1]);
    assert.deepEqual(found.results[0], {
      ...{ name: 'database', status: 'fail', message: 'away', critical: true, duration_ms: 0 },
    });
  });

  it('that are late come to what is said of them, else to a failure', async () => {
    const clock = createManualClock();
    const never = () => new Promise<Verdict>(() => undefined);
    const slow = { ...check('slow', pass('')), run: never };
    const patient = { ...slow, name: 'patient', late: warning('slow') };

    const validating = validateStart([slow, patient], { ...OPTIONS, clock });
    clock.advance(2000);
    const { results } = await validating;

    assert.deepEqual(
      results.map(({ status, message }) => [status, message]),
      [
        ['fail', 'did not answer within 2000 ms'],
        ['warning', 'slow'],
      ],
    );
  });

  it('are healthy with a warning where one that is not critical fails', async () => {
    const clock = createManualClock();

    const found = await validateStart([check('bucket', fail('away'), false)], {
      ...OPTIONS,
      clock,
    });

    assert.deepEqual(
      [found.status, found.warnings, found.results[0]?.status],
      ['healthy', 1, 'warning'],
    );
  });

  it('are unhealthy with a warning only where warnings are asked to count', async () => {
    const clock = createManualClock();
    const checks = [check('bucket', warning('odd'), false)];

    const lenient = await validateStart(checks, { ...OPTIONS, clock });
    const strict = await validateStart(checks, { ...OPTIONS, clock, failOnWarning: true });

    assert.deepEqual([lenient.status, strict.status], ['healthy', 'unhealthy']);
  });

  it('run side by side, each within its own time, all within the budget', async () => {
    const clock = createManualClock();
    const never = (name: string, timeoutMs: number): StartupCheck => ({
      ...{ name, critical: false, timeoutMs },
      run: () => new Promise(() => undefined),
    });

    const found = validateStart([never('short', 500), never('long', 60_000)], {
      ...OPTIONS,
      clock,
    });
    clock.advance(500);
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(4000);
    const { results, total_duration_ms } = await found;

    assert.deepEqual(
      results.map(({ message, duration_ms }) => [message, duration_ms]),
      [
        ['did not answer within 500 ms', 500],
        ['did not answer within 4500 ms', 4500],
      ],
    );
    assert.equal(total_duration_ms, 4500);
  });

  it('tell a check that rejects as one that fails, with its reason', async () => {
    const clock = createManualClock();
    const broken: StartupCheck = {
      ...{ name: 'x', critical: true, timeoutMs: 100 },
      run: () => Promise.reject(new Error('no route')),
    };

    const { results } = await validateStart([broken], { ...OPTIONS, clock });

    assert.deepEqual([results[0]?.status, results[0]?.message], ['fail', 'no route']);
  });

  it('sum up to the number of checks, whatever each comes to', async () => {
    const verdicts = fc.constantFrom(pass(''), warning(''), fail(''));
    const property = fc.asyncProperty(
      fc.array(fc.tuple(verdicts, fc.boolean()), { maxLength: 20 }),
      async (list) => {
        const clock = createManualClock();
        const checks = list.map(([verdict, critical], at) => check(`c${at}`, verdict, critical));

        const found = await validateStart(checks, { ...OPTIONS, clock });

        const { passed, warnings, critical_failures: failures } = found;
        assert.equal(passed + warnings + failures, list.length);
        assert.equal(found.status === 'unhealthy', failures > 0);
        assert.equal(
          failures,
          list.filter(([{ status }, critical]) => status === 'fail' && critical).length,
        );
      },
    );
    await fc.assert(property);
  });
});
