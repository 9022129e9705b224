/** What every keeper of tenants promises (`tenancy/ports/tenant-repository.ts`). */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { TenantRecord, TenantRepository } from '../../src/tenancy/ports/tenant-repository.ts';

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

  test(`${name}: quotes, wildcards and NUL in a slug are text, not syntax`, async (t) => {
    const tenants = await open(t);

    for (const slug of [`' or 1=1 --`, '%', 'a\u0000b']) {
      assert.equal(await tenants.get(slug), null);
    }
  });
}

function tenant(slug: string): TenantRecord {
  return { id: `ten_${slug}`, slug, name: `Name of ${slug}`, createdAtMs: 1_700_000_000_000 };
}

function slugOf({ slug }: TenantRecord): string {
  return slug;
}
