/** What every keeper of tenants promises (`tenancy/ports/tenant-repository.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TenantRecord, TenantRepository } from '../../src/tenancy/ports/tenant-repository.ts';
import { tenantRecord } from '../support/tenant-record.ts';

export function tenantRepositorySuite(
  name: string,
  open: (t: TestContext) => Promise<TenantRepository>,
): void {
  test(`${name}: the tenant "default" exists from the start`, async (t) => {
    const tenants = await open(t);

    const found = await tenants.get('default');

    assert.equal(found?.slug, 'default');
  });

  test(`${name}: a tenant that was inserted is read back whole, by its slug only`, async (t) => {
    const tenants = await open(t);
    const acme = tenant('acme');

    await tenants.insert(acme);

    assert.deepEqual(await tenants.get('acme'), acme);
    assert.equal(await tenants.get('ten_acme'), null);
    assert.equal(await tenants.get('ACME'), null);
  });

  test(`${name}: a slug that is taken is a conflict and changes nothing`, async (t) => {
    const tenants = await open(t);
    await tenants.insert(tenant('acme'));

    const second = tenants.insert({ ...tenant('acme'), id: 'ten_other', name: 'Other' });

    await assert.rejects(second, { code: 'conflict', field: 'slug' });
    assert.equal((await tenants.get('acme'))?.name, 'Name of acme');
  });

  test(`${name}: pages follow the slugs without a gap or a repetition`, async (t) => {
    const tenants = await open(t);
    for (const slug of ['delta', 'alpha', 'charlie', 'bravo']) await tenants.insert(tenant(slug));

    const first = await tenants.list({ limit: 3, afterSlug: null });
    const second = await tenants.list({ limit: 3, afterSlug: 'charlie' });

    assert.deepEqual(first.map(slugOf), ['alpha', 'bravo', 'charlie']);
    assert.deepEqual(second.map(slugOf), ['default', 'delta']);
  });

  test(`${name}: a change is read back, and names nothing that it does not change`, async (t) => {
    const tenants = await open(t);
    await tenants.insert({ ...tenant('acme'), hosts: ['a.example', 'b.example'] });

    const suspended = await tenants.update('acme', { suspendedAtMs: 5 });
    const moved = await tenants.update('acme', { hosts: ['c.example'], name: 'Other' });

    assert.deepEqual(suspended?.hosts, ['a.example', 'b.example']);
    assert.deepEqual(
      [moved?.suspendedAtMs, moved?.hosts, moved?.name],
      [5, ['c.example'], 'Other'],
    );
    assert.deepEqual(await tenants.get('acme'), moved);
    assert.equal(await tenants.update('globex', { name: 'Nobody' }), null);
  });

  test(`${name}: limits and budgets are kept as they were set`, async (t) => {
    const tenants = await open(t);
    const budget = { limitNanousd: 5, period: 'month', soft: true } as const;
    const models = { 'openai/gpt': { limits: { concurrency: 0 }, budget } };
    const rich = { ...tenant('acme'), limits: { requestsPerMinute: 3 }, budget, models };
    await tenants.insert(rich);
    assert.deepEqual(await tenants.get('acme'), rich);

    const hard = { limitNanousd: 6, period: 'total' } as const;
    const changed = await tenants.update('acme', { budget: hard });
    assert.deepEqual(changed, { ...rich, budget: hard });

    const bare = await tenants.update('acme', { limits: {}, budget: null, models: {} });
    assert.deepEqual(bare, { ...rich, limits: {}, budget: null, models: {} });
    assert.deepEqual((await tenants.changedSince(0)).tenants.at(-1), bare);
  });

  test(`${name}: a host belongs to one tenant, and is free once it is given up`, async (t) => {
    const tenants = await open(t);
    await tenants.insert({ ...tenant('acme'), hosts: ['a.example'] });
    await tenants.insert(tenant('globex'));

    const taken = tenants.update('globex', { hosts: ['b.example', 'a.example'], name: 'Changed' });

    await assert.rejects(taken, { code: 'conflict', field: 'hosts' });
    assert.equal((await tenants.get('globex'))?.name, 'Name of globex');
    await tenants.update('acme', { hosts: [] });
    const free = await tenants.update('globex', { hosts: ['a.example'] });
    assert.deepEqual(free?.hosts, ['a.example']);
  });

  test(`${name}: what changed since a version is told, and nothing else`, async (t) => {
    const tenants = await open(t);
    await tenants.insert({ ...tenant('acme'), hosts: ['a.example'] });
    await tenants.insert(tenant('globex'));

    const all = await tenants.changedSince(0);
    await tenants.update('acme', { suspendedAtMs: 7 });
    const later = await tenants.changedSince(all.version);
    const nothing = await tenants.changedSince(later.version);

    assert.deepEqual(all.tenants.map(slugOf).sort(), ['acme', 'default', 'globex']);
    assert.deepEqual(later.tenants, [
      { ...tenant('acme'), suspendedAtMs: 7, hosts: ['a.example'] },
    ]);
    assert.deepEqual(nothing, { tenants: [], version: later.version });
    assert.ok((await tenants.changedSince(1_000_000)).version < 1_000_000);
  });

  test(`${name}: quotes, wildcards and NUL in a slug are text, not syntax`, async (t) => {
    const tenants = await open(t);

    for (const slug of [`' or 1=1 --`, '%', 'a\u0000b']) {
      assert.equal(await tenants.get(slug), null);
    }
  });
}

function tenant(slug: string): TenantRecord {
  return tenantRecord(slug, { name: `Name of ${slug}` });
}

function slugOf({ slug }: TenantRecord): string {
  return slug;
}
