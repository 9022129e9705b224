/**
 * What every ledger promises to those who read it (`gateway/ports/ledger-query.ts`), together
 * with the ledger that is written. Entries go in by the front door and are asked for at once.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LedgerEntry } from '../../src/gateway/model/ledger-entry.ts';
import type { Ledger } from '../../src/gateway/ports/ledger.ts';
import type { LedgerQueries } from '../../src/gateway/ports/ledger-query.ts';
import { ledgerEntry } from '../support/storage.ts';

export interface LedgerHarness {
  readonly ledger: Ledger;
  readonly queries: LedgerQueries;
}

const DAY_1_MS = Date.UTC(2026, 0, 31, 23, 59, 59, 999);
const DAY_2_MS = DAY_1_MS + 1;

export function ledgerQueriesSuite(
  name: string,
  open: (t: TestContext) => Promise<LedgerHarness>,
): void {
  test(`${name}: an acknowledged entry is found at once and comes back whole`, async (t) => {
    const { ledger, queries } = await open(t);
    const entry = ledgerEntry({ arm: 'next/control', prompt: 'tutor@v1#25b0aa60' });
    await ledger.append(entry);

    assert.deepEqual(await queries.get(entry.id, null), entry);
    assert.deepEqual(await queries.get(entry.id, 'default'), entry);
  });

  test(`${name}: what an entry lacks stays absent, and odd texts stay what they are`, async (t) => {
    const { ledger, queries } = await open(t);
    const bare = ledgerEntry({
      provider: null,
      providerModel: null,
      costNanousd: null,
      priceId: null,
      firstTokenMs: null,
      errorCode: 'model_not_found',
      outcome: 'rejected',
      cache: 'BYPASS',
      dialect: 'gemini',
      operation: 'embedding',
      stream: true,
      status: 404,
      attempts: 0,
      model: `ñ "quoted" \\ 'single'; drop table requests; \n\t\u0000 🚪`,
    });
    const own = ledgerEntry();
    const ownCorrelation = { ...own, correlationId: own.id };
    await Promise.all([ledger.append(bare), ledger.append(ownCorrelation)]);

    assert.deepEqual(await queries.get(bare.id, null), bare);
    assert.deepEqual(await queries.get(own.id, null), ownCorrelation);
  });

  test(`${name}: another tenant's entry is not found`, async (t) => {
    const { ledger, queries } = await open(t);
    const entry = ledgerEntry({ tenant: 'acme' });
    await ledger.append(entry);

    assert.equal(await queries.get(entry.id, 'default'), null);
    assert.equal(await queries.get(entry.id, 'never seen'), null);
    assert.equal(await queries.get('req_unknown', null), null);
  });

  test(`${name}: an entry appended twice is one row, and the first one`, async (t) => {
    const { ledger, queries } = await open(t);
    const entry = ledgerEntry({ costNanousd: 1 });
    await ledger.append(entry);
    await ledger.append({ ...entry, costNanousd: 2 });

    const rows = await queries.list({ tenant: null }, { limit: 10, beforeId: null });

    assert.deepEqual(rows, [entry]);
  });

  test(`${name}: pages come newest first, without a gap or a repetition`, async (t) => {
    const { ledger, queries } = await open(t);
    // Two share a millisecond, and one was born before its time by a clock that stepped back.
    const times = [10, 20, 20, 5, 30];
    const entries = times.map((ms) => ledgerEntry({ createdAtMs: 1_700_000_000_000 + ms }));
    await Promise.all(entries.map((entry) => ledger.append(entry)));

    const seen: string[] = [];
    let beforeId: string | null = null;
    for (;;) {
      const page = await queries.list({ tenant: null }, { limit: 2, beforeId });
      if (page.length === 0) break;
      seen.push(...page.map(idOf));
      beforeId = seen.at(-1) ?? null;
    }

    const [a, b, c, d, e] = entries.map(idOf);
    assert.deepEqual(seen, [e, c, b, a, d]);
  });

  test(`${name}: each filter keeps exactly its rows, and all of them together`, async (t) => {
    const { ledger, queries } = await open(t);
    const wanted = ledgerEntry({ tenant: 'acme', keyId: 'key_b', model: 'smart', provider: 'p' });
    const others = [
      { ...wanted, tenant: 'default' },
      { ...wanted, keyId: 'key_a' },
      { ...wanted, model: 'fast' },
      { ...wanted, provider: null },
      { ...wanted, outcome: 'failed' as const },
      { ...wanted, createdAtMs: wanted.createdAtMs - 1 },
      { ...wanted, createdAtMs: wanted.createdAtMs + 1 },
    ].map((entry) => ({ ...entry, id: ledgerEntry().id }));
    await Promise.all([wanted, ...others].map((entry) => ledger.append(entry)));
    const page = { limit: 100, beforeId: null };
    const all = {
      tenant: 'acme',
      keyId: 'key_b',
      model: 'smart',
      provider: 'p',
      outcome: 'completed' as const,
      sinceMs: wanted.createdAtMs,
      untilMs: wanted.createdAtMs + 1,
    };

    assert.deepEqual(await queries.list(all, page), [wanted]);
    assert.equal((await queries.list({ tenant: null }, page)).length, 8);
    for (const filter of [
      { tenant: 'acme' },
      { tenant: null, keyId: 'key_b' },
      { tenant: null, model: 'smart' },
      { tenant: null, provider: 'p' },
      { tenant: null, outcome: 'completed' as const },
      { tenant: null, sinceMs: wanted.createdAtMs },
      { tenant: null, untilMs: wanted.createdAtMs + 1 },
    ]) {
      const rows = await queries.list(filter, page);
      assert.equal(rows.length, 7, JSON.stringify(filter));
    }
    assert.deepEqual(await queries.list({ tenant: 'never seen' }, page), []);
  });

  test(`${name}: sums are told apart by every dimension, dearest first`, async (t) => {
    const { ledger, queries } = await open(t);
    const rows: Partial<LedgerEntry>[] = [
      { createdAtMs: DAY_1_MS, costNanousd: 100 },
      { createdAtMs: DAY_2_MS, costNanousd: 30, cache: 'HIT' },
      { createdAtMs: DAY_2_MS, costNanousd: 40, cache: 'STALE', outcome: 'failed' },
      { createdAtMs: DAY_2_MS, costNanousd: null, model: 'smart', provider: null, cache: 'JOIN' },
    ];
    await Promise.all(rows.map((row) => ledger.append(ledgerEntry(row))));

    const usage = await queries.usage({ tenant: 'default' }, ['model', 'provider', 'day'], 10);

    const tokens = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5 };
    const one = { requests: 1, failed: 0, cacheHits: 0, unpriced: 0, ...tokens };
    assert.deepEqual(usage, [
      { ...one, group: ['fast', 'demo', '2026-01-31'], costNanousd: 100 },
      {
        group: ['fast', 'demo', '2026-02-01'],
        ...{ requests: 2, failed: 1, cacheHits: 2, costNanousd: 70, unpriced: 0 },
        ...{ inputTokens: 20, cachedInputTokens: 8, outputTokens: 10 },
      },
      { ...one, group: ['smart', null, '2026-02-01'], costNanousd: 0, unpriced: 1 },
    ]);
  });

  test(`${name}: sums by tenant and key see every tenant only when asked to`, async (t) => {
    const { ledger, queries } = await open(t);
    await ledger.append(ledgerEntry({ tenant: 'acme', keyId: 'key_b', costNanousd: 5 }));
    await ledger.append(ledgerEntry({ tenant: 'default', keyId: 'key_a', costNanousd: 7 }));

    const all = await queries.usage({ tenant: null }, ['tenant', 'key'], 10);
    const dearest = await queries.usage({ tenant: null }, ['tenant', 'key'], 1);
    const acme = await queries.usage({ tenant: 'acme' }, [], 10);
    const nobody = await queries.usage({ tenant: 'nobody' }, [], 10);

    assert.deepEqual(
      all.map(({ group, costNanousd }) => [...group, costNanousd]),
      [
        ['default', 'key_a', 7],
        ['acme', 'key_b', 5],
      ],
    );
    assert.equal(dearest.length, 1);
    assert.deepEqual(
      acme.map(({ group, costNanousd }) => ({ group, costNanousd })),
      [{ group: [], costNanousd: 5 }],
    );
    assert.deepEqual(nobody, []);
  });
}

function idOf({ id }: LedgerEntry): string {
  return id;
}
