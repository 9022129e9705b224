/** The tenants in memory: standing, hosts, and who hears of a suspension. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/index.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createTenantSnapshot } from '../../../src/tenancy/index.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { tenantRecord } from '../../support/tenant-record.ts';
import { createMemoryTenants, NOW_MS } from '../identity/fakes.ts';

const MAX_AGE_MS = 60_000;

function setUp(slugs: readonly string[] = ['default', 'acme']) {
  const clock = createManualClock(NOW_MS);
  const tenants = createMemoryTenants(slugs);
  let isDown = false;
  const repository = {
    changedSince: (version: number) =>
      isDown
        ? Promise.reject(new GatewayError('storage_unavailable'))
        : tenants.changedSince(version),
  };
  const options = { repository, clock, log: silentLog, maxAgeMs: MAX_AGE_MS };
  const snapshot = createTenantSnapshot({ ...options, maxTenants: 3 });
  return {
    clock,
    tenants,
    snapshot,
    fail(how: boolean) {
      isDown = how;
    },
  };
}

test('before the first reading nobody is judged', () => {
  assert.equal(setUp().snapshot.standing('acme'), 'unknown');
});

test('a suspended tenant is so after the next reading, and that is told once', async () => {
  const { tenants, snapshot } = setUp();
  const told: string[] = [];
  snapshot.onSuspended((slug) => told.push(slug));
  await snapshot.refresh();
  assert.equal(snapshot.standing('acme'), 'active');

  await tenants.update('acme', { suspendedAtMs: 5 });
  await snapshot.refresh();
  await tenants.update('acme', { name: 'Other' });
  await snapshot.refresh();

  assert.equal(snapshot.standing('acme'), 'suspended');
  assert.deepEqual(told, ['acme']);
  await tenants.update('acme', { suspendedAtMs: null });
  await snapshot.refresh();
  assert.equal(snapshot.standing('acme'), 'active');
});

test('a host is given up with the record that no longer has it', async () => {
  const { tenants, snapshot } = setUp();
  await tenants.update('acme', { hosts: ['a.example', 'b.example'] });
  await snapshot.refresh();
  assert.equal(snapshot.tenantOfHost('a.example'), 'acme');

  await tenants.update('acme', { hosts: ['b.example'] });
  await tenants.insert(tenantRecord('globex', { hosts: ['a.example'] }));
  await snapshot.refresh();

  assert.equal(snapshot.tenantOfHost('a.example'), 'globex');
  assert.equal(snapshot.tenantOfHost('b.example'), 'acme');
});

test('while the database is away what is known holds for its age, then no more', async () => {
  const { clock, snapshot, fail } = setUp();
  await snapshot.refresh();

  fail(true);
  await snapshot.refresh();
  clock.advance(MAX_AGE_MS);
  assert.equal(snapshot.standing('acme'), 'active');

  clock.advance(1);
  assert.equal(snapshot.standing('acme'), 'unknown');
});

test('a tenant made a moment ago is let in; beyond the bound nobody unknown is', async () => {
  const { tenants, snapshot } = setUp();
  await snapshot.refresh();
  assert.equal(snapshot.standing('newcomer'), 'active');

  for (const slug of ['one', 'two']) await tenants.insert(tenantRecord(slug));
  await snapshot.refresh();

  assert.equal(snapshot.standing('two'), 'unknown');
});
