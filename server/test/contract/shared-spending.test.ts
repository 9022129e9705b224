/**
 * The ledger as the place where counters of several processes come from, on SQLite and on
 * PostgreSQL: one sum over all processes, and the ids of what ended lately.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Storage } from '../../src/storage/index.ts';
import { temporaryFolder } from '../support/afterwards.ts';
import { postgresForFile } from '../support/postgres-storage.ts';
import { ledgerEntry, openTestStorage } from '../support/storage.ts';

const postgres = await postgresForFile();

/** Two processes over one ledger. */
const ENGINES: Readonly<Record<string, (t: TestContext) => Promise<readonly Storage[]>>> = {
  async sqlite(t) {
    const dataDir = temporaryFolder(t);
    return [await openTestStorage(t, { dataDir }), await openTestStorage(t, { dataDir })];
  },
  async postgres(t) {
    const at = await postgres.database();
    return [await postgres.openStorage(t, { at }), await postgres.openStorage(t, { at })];
  },
};

for (const [engine, open] of Object.entries(ENGINES)) {
  test(`${engine}: once both have settled, each tells the sum of both`, async (t) => {
    const [one, two] = (await open(t)) as [Storage, Storage];
    for (let i = 0; i < 50; i += 1) {
      void one.ledger.append(ledgerEntry({ costNanousd: 3, keyId: 'key_1' }));
      void two.ledger.append(ledgerEntry({ costNanousd: 5, keyId: 'key_1' }));
    }

    await Promise.all([one.history.settled(), two.history.settled()]);

    const question = { scopeId: 'key:key_1', sinceMs: 0, endedSinceMs: 0 };
    for (const { history } of [one, two]) {
      const { spentNanousd, recentIds } = await history.spending(question);
      assert.equal(spentNanousd, 400);
      assert.equal(new Set(recentIds).size, 100);
    }
  });

  test(`${engine}: what ended lately is named, by its end and not its start`, async (t) => {
    const [one] = (await open(t)) as [Storage, Storage];
    const ended = (id: string, createdAtMs: number, durationMs: number) =>
      one.ledger.append(ledgerEntry({ id, createdAtMs, durationMs, costNanousd: 1 }));
    await ended('req_early', 1000, 10);
    await ended('req_long', 1000, 9000);
    await ended('req_late', 10_000, 0);
    await one.history.settled();

    const ask = async (sinceMs: number) => {
      const question = { scopeId: 'key:key_a', sinceMs, endedSinceMs: 10_000 };
      const { spentNanousd, recentIds } = await one.history.spending(question);
      return { spentNanousd, recentIds: [...recentIds].sort() };
    };
    assert.deepEqual(await ask(0), { spentNanousd: 3, recentIds: ['req_late', 'req_long'] });
    assert.deepEqual(await ask(2000), { spentNanousd: 1, recentIds: ['req_late'] });
  });

  test(`${engine}: an exchange of the longest time is named when it has ended`, async (t) => {
    const [one] = (await open(t)) as [Storage, Storage];
    const dayMs = 86_400_000;
    const createdAtMs = 1_700_000_000_000;
    const longest = ledgerEntry({ createdAtMs, durationMs: dayMs, costNanousd: 7 });
    await one.ledger.append(longest);
    await one.history.settled();

    const endedSinceMs = createdAtMs + dayMs;
    const question = { scopeId: 'key:key_a', sinceMs: 0, endedSinceMs };
    const known = await one.history.spending(question);

    assert.deepEqual(known, { spentNanousd: 7, recentIds: [longest.id] });
  });

  test(`${engine}: a scope is a key, a tenant, or a model within a tenant`, async (t) => {
    const [one] = (await open(t)) as [Storage, Storage];
    const book = (tenant: string, model: string, costNanousd: number | null) =>
      one.ledger.append(ledgerEntry({ tenant, model, costNanousd }));
    await book('acme', 'fast', 1);
    await book('acme', 'openai/gpt', 20);
    await book('acme', 'openai/gpt', null);
    await book('other', 'fast', 300);
    await one.history.settled();

    const spent = async (scopeId: string) => {
      const { spentNanousd } = await one.history.spending({
        ...{ scopeId, sinceMs: 0, endedSinceMs: Number.MAX_SAFE_INTEGER },
      });
      return spentNanousd;
    };
    assert.equal(await spent('key:key_a'), 321);
    assert.equal(await spent('tenant:acme'), 21);
    assert.equal(await spent('model:acme/fast'), 1);
    assert.equal(await spent('model:acme/openai/gpt'), 20);
    assert.equal(await spent('model:nobody/fast'), 0);
    await assert.rejects(spent('galaxy:all'), { code: 'budget_unavailable' });
  });
}
