/**
 * What forgetting old rows of the ledger promises on every engine: rows go, and every sum is
 * what it was, to the nano-dollar. Entries lie on both sides of a month's and a day's end.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LedgerEntry } from '../../src/gateway/model/ledger-entry.ts';
import type { UsageDimension } from '../../src/gateway/ports/ledger-query.ts';
import type { Storage } from '../../src/storage/index.ts';
import { ledgerEntry } from '../support/storage.ts';
import { tenantRecord } from '../support/tenant-record.ts';

type Opened = Pick<
  Storage,
  'ledger' | 'ledgerQueries' | 'ledgerRows' | 'history' | 'tenantExport' | 'tenants'
>;

const AUGUST_END_MS = Date.UTC(2025, 7, 31, 23, 59, 59, 999);
const SEPTEMBER_MS = AUGUST_END_MS + 1;
const NOVEMBER_MS = Date.UTC(2025, 10, 5, 12);
/** What is older is to go: all of August and September. */
const BEFORE_MS = Date.UTC(2025, 9, 1, 15);
const SCOPES = ['key:key_a', 'key:key_b', 'tenant:default', 'tenant:acme', 'model:acme/fast'];
const DIMENSIONS: readonly (readonly UsageDimension[])[] = [
  ...[[], ['model'], ['provider'], ['key'], ['tenant'], ['day']],
  ['day', 'tenant', 'key', 'model', 'provider'],
] as const;

function entries(): LedgerEntry[] {
  const made: LedgerEntry[] = [];
  const times = [AUGUST_END_MS, SEPTEMBER_MS, Date.UTC(2025, 8, 30, 23), NOVEMBER_MS];
  for (const [at, createdAtMs] of times.entries()) {
    for (let nth = 0; nth < 7; nth += 1) {
      const isOdd = nth % 2 === 1;
      made.push(
        ledgerEntry({
          createdAtMs: createdAtMs - (createdAtMs === AUGUST_END_MS ? nth : -nth),
          tenant: isOdd ? 'acme' : 'default',
          keyId: nth % 3 === 0 ? 'key_a' : 'key_b',
          model: nth === 6 ? 'smart' : 'fast',
          provider: nth === 5 ? null : 'demo',
          outcome: nth === 5 ? 'failed' : 'completed',
          cache: nth === 4 ? 'HIT' : 'MISS',
          costNanousd: nth === 3 ? null : 1_000_000_007 * (at + 1) + 13 ** nth,
        }),
      );
    }
  }
  return made;
}

async function figuresOf({ ledgerQueries, history }: Opened) {
  const spent = await Promise.all(SCOPES.map((scope) => history.spentNanousd(scope, 0)));
  const since = await Promise.all(SCOPES.map((scope) => history.spentNanousd(scope, SEPTEMBER_MS)));
  const shared = await Promise.all(
    SCOPES.map(async (scopeId) => {
      const question = { scopeId, sinceMs: SEPTEMBER_MS, endedSinceMs: NOVEMBER_MS };
      const { spentNanousd, recentIds } = await history.spending(question);
      return [spentNanousd, recentIds.toSorted()];
    }),
  );
  const filters = [
    { tenant: null },
    { tenant: 'acme' },
    { tenant: null, keyId: 'key_a', provider: 'demo' },
    { tenant: null, outcome: 'failed' as const, model: 'fast' },
    { tenant: null, sinceMs: SEPTEMBER_MS, untilMs: Date.UTC(2025, 8, 30) },
  ];
  const usage = await Promise.all(
    filters.flatMap((filter) =>
      DIMENSIONS.map(async (by) => {
        const rows = await ledgerQueries.usage(filter, by, 100);
        return rows.map((row) => JSON.stringify(row)).sort();
      }),
    ),
  );
  return { spent, since, shared, usage };
}

async function forgetAll({ ledgerRows }: Opened, beforeMs = BEFORE_MS, batch = 4): Promise<number> {
  let forgotten = 0;
  for (let passes = 0; passes < 100; passes += 1) {
    const went = await ledgerRows.eraseBefore(beforeMs, batch);
    forgotten += went;
    if (went < batch) return forgotten;
  }
  throw new Error('there is no end to it');
}

export function ledgerRetentionSuite(
  name: string,
  /** Two processes on one database. */
  open: (t: TestContext) => Promise<readonly [Opened, Opened]>,
): void {
  test(`${name}: old rows go, and every sum and budget stays what it was`, async (t) => {
    const [storage] = await open(t);
    const made = entries();
    await Promise.all(made.map((entry) => storage.ledger.append(entry)));
    const before = await figuresOf(storage);

    await forgetAll(storage);

    const left = await storage.ledgerQueries.list({ tenant: null }, { limit: 100, beforeId: null });
    const kept = made.filter(
      ({ createdAtMs }) => createdAtMs === NOVEMBER_MS || createdAtMs > BEFORE_MS,
    );
    assert.deepEqual(left.map(({ id }) => id).sort(), kept.map(({ id }) => id).sort());
    assert.equal(await storage.ledgerQueries.get(made[0]?.id ?? '', null), null);
    assert.deepEqual(await figuresOf(storage), before);
    assert.equal(before.spent[0], sumOf(made, 'key_a'));
  });

  test(`${name}: an export of a tenant has the sums of what was forgotten`, async (t) => {
    const [storage] = await open(t);
    await storage.tenants.insert(tenantRecord('acme'));
    const made = entries().filter(({ tenant }) => tenant === 'acme');
    await Promise.all(entries().map((entry) => storage.ledger.append(entry)));
    await figuresOf(storage); // they are in the database now
    await forgetAll(storage);

    const exported = { requests: 0, cost: 0, days: 0 };
    for await (const { kind, row } of storage.tenantExport.rows('acme')) {
      if (kind === 'request') exported.requests += 1;
      if (kind === 'usage_day') exported.days += Number(row.requests);
      if (kind === 'request' || kind === 'usage_day') exported.cost += Number(row.cost_nanousd);
      assert.equal(kind === 'usage_day' && 'at_day' in row, false);
    }

    assert.equal(exported.requests + exported.days, made.length);
    assert.ok(exported.days > 0);
    assert.equal(
      exported.cost,
      made.reduce((sum, { costNanousd }) => sum + (costNanousd ?? 0), 0),
    );
  });

  test(`${name}: rows that come after their month was forgotten are counted once`, async (t) => {
    const [storage] = await open(t);
    await Promise.all(entries().map((entry) => storage.ledger.append(entry)));
    await forgetAll(storage);
    const late = entries();
    await Promise.all(late.map((entry) => storage.ledger.append(entry)));
    const before = await figuresOf(storage);

    await forgetAll(storage);
    await forgetAll(storage);

    assert.deepEqual(await figuresOf(storage), before);
    assert.equal(before.spent[0], 2 * sumOf(late, 'key_a'));
  });

  test(`${name}: two processes that forget at once take nothing twice`, async (t) => {
    const both = await open(t);
    const made = entries();
    await Promise.all(made.map((entry) => both[0].ledger.append(entry)));
    const before = await figuresOf(both[0]);

    await Promise.all(both.map((storage) => forgetAll(storage)));
    await forgetAll(both[1]);

    assert.deepEqual(await figuresOf(both[1]), before);
    const rows = await both[1].ledgerQueries.list({ tenant: null }, { limit: 100, beforeId: null });
    assert.equal(rows.length, 7);
  });

  test(`${name}: another tenant's forgotten days are none of its figures`, async (t) => {
    const [storage] = await open(t);
    await Promise.all(entries().map((entry) => storage.ledger.append(entry)));
    await forgetAll(storage);

    const rows = await storage.ledgerQueries.usage({ tenant: 'acme' }, ['tenant'], 10);

    assert.deepEqual(
      rows.map(({ group, requests }) => [group, requests]),
      [[['acme'], 12]],
    );
  });
}

function sumOf(made: readonly LedgerEntry[], keyId: string): number {
  return made
    .filter((entry) => entry.keyId === keyId)
    .reduce((sum, { costNanousd }) => sum + (costNanousd ?? 0), 0);
}
