/** What every keeper of API keys promises (`identity/ports/key-repository.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { KeyRecord, KeyRepository } from '../../src/identity/ports/key-repository.ts';
import type { TenantRepository } from '../../src/tenancy/ports/tenant-repository.ts';
import { keyRecord } from '../support/key-record.ts';
import { tenantRecord } from '../support/tenant-record.ts';

export interface KeyRepositoryHarness {
  readonly keys: KeyRepository;
  readonly tenants: TenantRepository;
}

export function keyRepositorySuite(
  name: string,
  open: (t: TestContext) => Promise<KeyRepositoryHarness>,
): void {
  test(`${name}: a key is read back whole, with everything set and with nothing set`, async (t) => {
    const { keys } = await open(t);
    const full: KeyRecord = {
      ...key('key_full'),
      scopes: ['models.call', 'usage.read'],
      previousHash: 'hash before',
      previousUntilMs: 1_700_000_000_009,
      addresses: ['192.0.2.0/24', '2001:db8::/32'],
      cacheUse: 'requested',
      models: ['fast', 'demo/demo-1'],
      limits: { requestsPerMinute: 60, tokensPerMinute: 0, concurrency: 3 },
      budget: { limitNanousd: 9_007_199_254_740_991, period: 'month' },
      expiresAtMs: 1_800_000_000_000,
      revokedAtMs: 1_750_000_000_000,
    };

    await keys.insert(full);
    await keys.insert(key('key_bare'));

    assert.deepEqual(await keys.get('key_full', null), full);
    assert.deepEqual(await keys.get('key_bare', null), key('key_bare'));
    assert.equal(await keys.get('key_other', null), null);
  });

  test(`${name}: an id or a secret that exists is a conflict`, async (t) => {
    const { keys } = await open(t);
    await keys.insert(key('key_1'));

    const sameId = () => keys.insert({ ...key('key_1'), secretHash: 'other' });
    const sameSecret = () => keys.insert({ ...key('key_2'), secretHash: key('key_1').secretHash });

    await assert.rejects(sameId, { code: 'conflict' });
    await assert.rejects(sameSecret, { code: 'conflict' });
    assert.equal(await keys.get('key_2', null), null);
  });

  test(`${name}: a key of a tenant that does not exist is refused`, async (t) => {
    const { keys } = await open(t);

    const orphan = keys.insert({ ...key('key_1'), tenant: 'nobody' });

    await assert.rejects(orphan, { code: 'invalid_request', field: 'tenant' });
    assert.equal((await keys.changedSince(0)).keys.length, 0);
  });

  test(`${name}: pages come newest first and stay inside the tenant asked for`, async (t) => {
    const { keys, tenants } = await open(t);
    await tenants.insert(tenantRecord('acme'));
    for (const id of ['key_1', 'key_3', 'key_5']) await keys.insert(key(id));
    for (const id of ['key_2', 'key_4']) await keys.insert({ ...key(id), tenant: 'acme' });

    const everyone = await keys.list({ tenant: null, limit: 3, beforeId: null });
    const rest = await keys.list({ tenant: null, limit: 3, beforeId: 'key_3' });
    const acme = await keys.list({ tenant: 'acme', limit: 10, beforeId: null });

    assert.deepEqual(everyone.map(idOf), ['key_5', 'key_4', 'key_3']);
    assert.deepEqual(rest.map(idOf), ['key_2', 'key_1']);
    assert.deepEqual(acme.map(idOf), ['key_4', 'key_2']);
  });

  test(`${name}: a key is neither read nor changed under the name of another tenant`, async (t) => {
    const { keys, tenants } = await open(t);
    await tenants.insert(tenantRecord('acme'));
    await keys.insert({ ...key('key_1'), tenant: 'acme' });

    const read = await keys.get('key_1', 'default');
    const changed = await keys.update('key_1', 'default', { name: 'Taken' });

    assert.deepEqual([read, changed], [null, null]);
    assert.equal((await keys.get('key_1', 'acme'))?.name, key('key_1').name);
  });

  test(`${name}: a patch changes what it names, null included, and nothing else`, async (t) => {
    const { keys } = await open(t);
    const before: KeyRecord = {
      ...key('key_1'),
      models: ['fast'],
      budget: { limitNanousd: 5, period: 'day' },
      expiresAtMs: 1_800_000_000_000,
    };
    await keys.insert(before);

    const renamed = await keys.update('key_1', null, { name: 'Renamed' });
    const opened = await keys.update('key_1', null, {
      models: null,
      budget: null,
      expiresAtMs: null,
    });
    const limited = await keys.update('key_1', null, { limits: { concurrency: 0 } });
    const uncached = await keys.update('key_1', null, { cacheUse: 'off' });
    const missing = await keys.update('key_other', null, { name: 'Nobody' });

    assert.deepEqual(renamed, { ...before, name: 'Renamed' });
    assert.deepEqual(opened, { ...renamed, models: null, budget: null, expiresAtMs: null });
    assert.deepEqual(limited, { ...opened, limits: { concurrency: 0 } });
    assert.deepEqual(uncached, { ...limited, cacheUse: 'off' });
    assert.deepEqual(await keys.get('key_1', null), uncached);
    assert.equal(missing, null);
  });

  test(`${name}: version 0 answers every key, revoked ones included`, async (t) => {
    const { keys } = await open(t);
    await keys.insert(key('key_1'));
    await keys.insert({ ...key('key_2'), revokedAtMs: 1_700_000_000_001 });

    const all = await keys.changedSince(0);

    assert.deepEqual(all.keys.map(idOf).sort(), ['key_1', 'key_2']);
  });

  test(`${name}: a version answers exactly the keys changed after it, each once`, async (t) => {
    const { keys } = await open(t);
    await keys.insert(key('key_1'));
    await keys.insert(key('key_2'));
    const seen = await keys.changedSince(0);

    const nothing = await keys.changedSince(seen.version);
    await keys.update('key_1', null, { name: 'First' });
    await keys.update('key_1', null, { revokedAtMs: 1_700_000_000_009 });
    await keys.insert(key('key_3'));
    const changed = await keys.changedSince(seen.version);

    assert.deepEqual(nothing, { keys: [], version: seen.version });
    assert.deepEqual(changed.keys.map(idOf).sort(), ['key_1', 'key_3']);
    assert.equal(changed.keys.find(({ id }) => id === 'key_1')?.revokedAtMs, 1_700_000_000_009);
    assert(changed.version > seen.version);
  });

  test(`${name}: changes made at once all get a version of their own`, async (t) => {
    const { keys } = await open(t);
    const names = Array.from({ length: 20 }, (_, index) => `key_${index + 10}`);

    await Promise.all(names.map((id) => keys.insert(key(id))));
    let version = 0;
    const seen: string[] = [];
    for (;;) {
      const changes = await keys.changedSince(version);
      if (changes.keys.length === 0) break;
      seen.push(...changes.keys.map(idOf));
      version = changes.version;
    }

    assert.deepEqual(seen.sort(), names);
    assert.equal(version, names.length);
  });
}

function key(id: string): KeyRecord {
  return keyRecord({ id });
}

function idOf({ id }: KeyRecord): string {
  return id;
}
