/**
 * What every keeper of flags promises (`operations/ports/flag-repository.ts`), and what the
 * figures of arms are made of (`operations/ports/arm-figures.ts`).
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LedgerEntry } from '../../src/gateway/model/ledger-entry.ts';
import type { Ledger } from '../../src/gateway/ports/ledger.ts';
import { beginRollout } from '../../src/operations/flags/rollout.ts';
import type { ArmFiguresReader } from '../../src/operations/ports/arm-figures.ts';
import type { FlagRecord, FlagRepository } from '../../src/operations/ports/flag-repository.ts';
import { ledgerEntry } from '../support/storage.ts';

export interface FlagStorage {
  readonly flags: FlagRepository;
  readonly arms: ArmFiguresReader;
  readonly ledger: Ledger;
}

const SINCE_MS = 1_700_000_000_000;
const CANDIDATE = 'smart_next/candidate';

export function flagRepositorySuite(
  name: string,
  open: (t: TestContext) => Promise<FlagStorage>,
): void {
  test(`${name}: a flag is read back whole, with its plan`, async (t) => {
    const { flags } = await open(t);
    const steps = [{ percentage: 10, soak_seconds: 1.5, min_samples: 3 }];
    const guards = { error_rate: 0.1, latency_ratio: null, cost_ratio: 2 };
    const rollout = beginRollout({ steps, guards }, SINCE_MS);

    const isSaved = await flags.save(record({ rollout, tenants: ['acme'], by: 'user' }));
    await flags.save(record({ name: 'a' }));

    assert.equal(isSaved, true);
    assert.deepEqual(await flags.all(), [
      record({ name: 'a' }),
      record({ rollout, tenants: ['acme'], by: 'user' }),
    ]);
  });

  test(`${name}: of several who change one version, one is told that it did`, async (t) => {
    const { flags } = await open(t);
    await flags.save(record());

    const changes = [1, 2, 3, 4].map((percentage) => record({ version: 2, percentage }));
    const saved = await Promise.all(changes.map((change) => flags.save(change)));

    assert.equal(saved.filter(Boolean).length, 1);
    const [found] = await flags.all();
    assert.deepEqual(found, changes[saved.indexOf(true)]);
  });

  test(`${name}: a version that is not the next one changes nothing`, async (t) => {
    const { flags } = await open(t);
    await flags.save(record());

    const saved = [await flags.save(record()), await flags.save(record({ version: 3 }))];

    assert.deepEqual(saved, [false, false]);
    assert.deepEqual(await flags.all(), [record()]);
  });

  test(`${name}: a flag that was removed begins anew`, async (t) => {
    const { flags } = await open(t);
    await flags.save(record());

    const removed = [await flags.remove('smart_next'), await flags.remove('smart_next')];

    assert.deepEqual(removed, [true, false]);
    assert.equal(await flags.save(record()), true);
  });

  test(`${name}: figures of an arm are those of its calls since an instant`, async (t) => {
    const { arms, ledger } = await open(t);
    const calls = Array.from({ length: 20 }, (_, at) =>
      call(at, { durationMs: (at + 1) * 10, costNanousd: 100 }),
    );
    const others = [
      call(20, { outcome: 'failed', durationMs: 9999 }),
      call(21, { outcome: 'aborted' }),
      call(22, { outcome: 'rejected' }),
      call(23, { cache: 'HIT' }),
      call(24, { createdAtMs: SINCE_MS - 1 }),
      call(25, { arm: 'smart_next/control', durationMs: 7, costNanousd: null }),
      call(26, { arm: null }),
    ];
    await Promise.all([...calls, ...others].map((entry) => ledger.append(entry)));

    const { candidate, control } = await arms.read('smart_next', SINCE_MS);

    assert.deepEqual(candidate, {
      ...{ samples: 21, failures: 1, mean_cost_nanousd: 100 },
      ...{ p95_ms: 190, p95_low_ms: 170, p95_high_ms: 200 },
    });
    assert.deepEqual(control, {
      ...{ samples: 1, failures: 0, mean_cost_nanousd: null },
      ...{ p95_ms: 7, p95_low_ms: 7, p95_high_ms: 7 },
    });
  });

  test(`${name}: an experiment that nobody took part in has no figures`, async (t) => {
    const { arms } = await open(t);

    const { candidate } = await arms.read('unknown', SINCE_MS);

    assert.deepEqual(candidate, {
      ...{ samples: 0, failures: 0, mean_cost_nanousd: null },
      ...{ p95_ms: null, p95_low_ms: null, p95_high_ms: null },
    });
  });
}

function record(changes: Partial<FlagRecord> = {}): FlagRecord {
  return {
    ...{ name: 'smart_next', enabled: true, percentage: 10, by: 'tenant', tenants: [] },
    ...{ rollout: null, version: 1, updatedAtMs: SINCE_MS, updatedBy: 'key_a' },
    ...changes,
  };
}

function call(at: number, changes: Partial<LedgerEntry>): LedgerEntry {
  const id = `req_${String(at).padStart(26, '0')}`;
  return ledgerEntry({ id, createdAtMs: SINCE_MS + at, arm: CANDIDATE, ...changes });
}
