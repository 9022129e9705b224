/**
 * Tenants: who may make them, and what a taken or missing slug answers.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GatewayError } from '../../../src/gateway/index.ts';
import { environmentAdmin, requirePermission } from '../../../src/identity/index.ts';
import { createIdSource } from '../../../src/kernel/id.ts';
import { createTenantUseCases } from '../../../src/tenancy/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createCountingRandom, createMemoryTenants, NOW_MS, principal } from '../identity/fakes.ts';

function setUp() {
  const clock = createManualClock(NOW_MS);
  return createTenantUseCases({
    repository: createMemoryTenants(['default']),
    authorize: requirePermission,
    refreshSnapshot: async () => undefined,
    ownSlug: 'default',
    ids: createIdSource(clock, createCountingRandom()),
    clock,
  });
}

function refuses(code: string, field: string | null = null) {
  return (error: GatewayError) => error.code === code && error.field === field;
}

describe('tenants', () => {
  it('are made, read and listed by a superadmin', async () => {
    const tenants = setUp();

    const made = await tenants.create(environmentAdmin, { slug: 'acme', name: 'Acme' });
    const read = await tenants.get(environmentAdmin, 'acme');
    const page = await tenants.list(environmentAdmin, { limit: 10, afterSlug: null });

    assert.match(made.id, /^ten_/);
    assert.equal(made.createdAtMs, NOW_MS);
    assert.deepEqual(read, made);
    assert.deepEqual(
      page.map((tenant) => tenant.slug),
      ['acme', 'default'],
    );
  });

  it('are refused a slug that is taken', async () => {
    const tenants = setUp();

    const creation = tenants.create(environmentAdmin, { slug: 'default', name: 'Again' });

    await assert.rejects(creation, refuses('conflict', 'slug'));
  });

  it('are not found where there is none', async () => {
    await assert.rejects(setUp().get(environmentAdmin, 'nowhere'), refuses('not_found'));
  });

  for (const role of ['admin', 'service', 'student', 'instructor'] as const) {
    it(`are none of the business of the role ${role}`, async () => {
      const tenants = setUp();
      const actor = principal({ role });
      const denied = refuses('permission_denied');

      await assert.rejects(tenants.create(actor, { slug: 'acme', name: 'Acme' }), denied);
      await assert.rejects(tenants.get(actor, 'default'), denied);
      await assert.rejects(tenants.list(actor, { limit: 1, afterSlug: null }), denied);
    });
  }

  it('are made where missing, and only once', async () => {
    const tenants = setUp();

    await tenants.ensure({ slug: 'acme', name: 'Acme' });
    await tenants.ensure({ slug: 'acme', name: 'Another name' });

    assert.equal(await tenants.exists('acme'), true);
    assert.equal((await tenants.get(environmentAdmin, 'acme')).name, 'Acme');
    assert.equal(await tenants.exists('nowhere'), false);
  });
});
