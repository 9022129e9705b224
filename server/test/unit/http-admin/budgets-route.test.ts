/**
 * `GET /api/v1/budgets`: budgets of keys, users, tenants and models, in pages that leave nobody
 * out and show nobody what is another tenant's.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Budget, Terms } from '../../../src/gateway/index.ts';
import type { UserRecord } from '../../../src/identity/index.ts';
import { createAdminFixture } from './fixture.ts';
import { peopleState } from './stand-ins.ts';

const MONTHLY: Budget = { limitNanousd: 5_000_000_000, period: 'month', soft: true };
const TOTAL: Budget = { limitNanousd: 9, period: 'total' };
const TERMS: Terms = {
  ...{ weight: 1, limits: {}, budget: MONTHLY },
  models: new Map([
    ['fast', { limits: {}, budget: TOTAL }],
    ['slow', { limits: {}, budget: null }],
  ]),
};
const ANA: UserRecord = {
  ...{ id: 'usr_ana', tenant: 'acme', email: 'ana@acme.example', username: 'ana' },
  ...{ passwordHash: null, subject: null, roles: ['student'], isActive: true, isVerified: true },
  ...{ models: null, limits: {}, budget: TOTAL, createdAtMs: 1, lastLoginAtMs: null },
};
const NOBODY: Terms = { weight: 1, limits: {}, budget: null, models: new Map() };

async function withBudgets() {
  const asked: string[] = [];
  const { users } = peopleState({ authenticate: () => ({ kind: 'unknown' }) });
  const fixture = await createAdminFixture({
    users: {
      ...users,
      list: async (_caller, { limit, beforeId }) =>
        [{ ...ANA, id: 'usr_b', budget: null }, ANA, { ...ANA, id: 'usr_aa' }]
          .filter(({ id }) => beforeId === null || id < beforeId)
          .slice(0, limit),
    },
    terms: (tenant) => (tenant === 'acme' ? TERMS : NOBODY),
    budgets: {
      figures: async ({ id }, tenant) => {
        asked.push(`${id} of ${tenant}`);
        return { spentNanousd: 7, reservedNanousd: 2, renewsAtMs: null };
      },
    },
  });
  return { ...fixture, asked };
}

const named = (row: Record<string, unknown>) =>
  [row.scope, row.key_id ?? row.user_id ?? row.model ?? row.tenant].join(' ');

test('an admin sees those of its tenant: keys, users, the tenant and its models', async () => {
  const { call, secrets, serviceKeyId, asked } = await withBudgets();

  const answer = await call(secrets.admin, '/api/v1/budgets');

  const { data, next } = answer.json();
  assert.deepEqual(data.map(named), [
    ...[`key ${serviceKeyId}`, 'user usr_ana', 'user usr_aa', 'tenant acme', 'model fast'],
  ]);
  assert.equal(next, null);
  assert.deepEqual(asked, [
    `key:${serviceKeyId} of acme`,
    ...['key:usr_ana of acme', 'key:usr_aa of acme'],
    ...['tenant:acme of acme', 'model:acme/fast of acme'],
  ]);
  assert.deepEqual(data[3], {
    ...{ scope: 'tenant', key_id: null, key_name: null, user_id: null, model: null },
    ...{ tenant: 'acme', budget: { limit_usd: '5', period: 'month', soft: true } },
    ...{ period: 'month', soft: true, limit_nanousd: 5_000_000_000 },
    ...{ spent_nanousd: 7, reserved_nanousd: 2, renews_at: null },
  });
});

test('a plain key sees its own, and the tenant of another is refused', async () => {
  const { call, secrets, serviceKeyId } = await withBudgets();

  const own = await call(secrets.service, '/api/v1/budgets');
  const other = await call(secrets.admin, '/api/v1/budgets?tenant=default');

  assert.deepEqual(own.json().data.map(named), [`key ${serviceKeyId}`]);
  assert.equal(other.statusCode, 403);
});

test('pages of one owner each show all budgets once', async () => {
  const { call, secrets } = await withBudgets();
  const whole = (await call(secrets.superadmin, '/api/v1/budgets?tenant=acme')).json();
  assert.equal(whole.next, null);
  const seen: unknown[] = [];
  let cursor: string | null = '';
  for (let pages = 0; cursor !== null; pages += 1) {
    assert.ok(pages < 20, 'the pages end');
    const url: string = `/api/v1/budgets?tenant=acme&limit=1${cursor && `&cursor=${cursor}`}`;
    const { data, next } = (await call(secrets.superadmin, url)).json();
    seen.push(...data);
    cursor = next;
  }
  assert.deepEqual(seen, whole.data);
  assert.equal(seen.length, 5);
});
