/**
 * The rules of API keys: who may make, see, change and revoke which key, and with what. The
 * use cases are real, the repository is in memory.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ErrorCode, GatewayError, Principal } from '../../../src/gateway/index.ts';
import { createFirstKey, environmentAdmin } from '../../../src/identity/index.ts';
import { createKeyFixture, hashSecret, NOW_MS, principal } from './fakes.ts';

const HOUR_MS = 3_600_000;
const superadmin = environmentAdmin;
const admin = principal({ role: 'admin', tenant: 'acme' });
const service = principal({ role: 'service', tenant: 'acme' });

function refuses(code: ErrorCode, field: string | null = null) {
  return (error: GatewayError) => {
    assert.equal(error.code, code, error.message);
    assert.equal(error.field, field);
    return true;
  };
}

describe('making a key', () => {
  it('gives the secret once and keeps only its hash and its first characters', async () => {
    const { keys, repository, fixture } = createKeyFixture();

    const { record, secret } = await keys.create(admin, { name: 'tutor', role: 'service' });

    assert.match(secret, /^esk_[A-Za-z0-9_-]{43}$/);
    assert.equal(record.secretHash, hashSecret(secret));
    assert.equal(record.hint, `${secret.slice(0, 8)}…`);
    assert.equal(JSON.stringify([...repository.rows.values()]).includes(secret), false);
    assert.equal(fixture.refreshes, 1);
  });

  it('puts the key into the maker’s tenant unless a superadmin names another', async () => {
    const { keys } = createKeyFixture();

    const own = await keys.create(admin, { name: 'a', role: 'service' });
    const first = await keys.create(superadmin, { name: 'b', role: 'service' });
    const named = await keys.create(superadmin, { name: 'c', role: 'service', tenant: 'globex' });

    assert.deepEqual(
      [own.record.tenant, first.record.tenant, named.record.tenant],
      ['acme', 'default', 'globex'],
    );
  });

  const refusals: readonly [string, Principal, object, ErrorCode, string | null][] = [
    ['a plain key', service, {}, 'permission_denied', null],
    ['a student', principal({ role: 'student' }), {}, 'permission_denied', null],
    ['an admin in another tenant', admin, { tenant: 'globex' }, 'permission_denied', 'tenant'],
    ['an admin in a missing tenant', admin, { tenant: 'nowhere' }, 'permission_denied', 'tenant'],
    [
      'a superadmin in a missing tenant',
      superadmin,
      { tenant: 'nowhere' },
      'invalid_request',
      'tenant',
    ],
    ['an admin giving out the role admin', admin, { role: 'admin' }, 'permission_denied', 'role'],
    [
      'anybody with an end in the past',
      superadmin,
      { expiresAtMs: NOW_MS },
      'invalid_request',
      'expires_at',
    ],
  ];
  for (const [who, actor, changes, code, field] of refusals) {
    it(`is refused to ${who}`, async () => {
      const { keys, repository } = createKeyFixture();

      const creation = keys.create(actor, { name: 'x', role: 'service', ...changes });

      await assert.rejects(creation, refuses(code, field));
      assert.equal(repository.rows.size, 0);
    });
  }

  it('lets a superadmin give out the role admin', async () => {
    const { keys } = createKeyFixture();

    const { record } = await keys.create(superadmin, { name: 'x', role: 'admin', tenant: 'acme' });

    assert.equal(record.role, 'admin');
  });

  it('drops models named twice', async () => {
    const { keys } = createKeyFixture();

    const { record } = await keys.create(admin, {
      name: 'x',
      role: 'service',
      models: ['fast', 'fast', 'smart'],
    });

    assert.deepEqual(record.models, ['fast', 'smart']);
  });
});

describe('what a key may be given', () => {
  const restricted = principal({
    role: 'admin',
    tenant: 'acme',
    models: ['fast', 'smart'],
    limits: { requestsPerMinute: 100 },
    budget: { limitNanousd: 5_000_000_000, period: 'month' },
    expiresAtMs: NOW_MS + 10 * HOUR_MS,
  });

  it('is the maker’s own restrictions where nothing is said', async () => {
    const { keys } = createKeyFixture();

    const { record } = await keys.create(restricted, { name: 'x', role: 'service' });

    assert.deepEqual(record.models, ['fast', 'smart']);
    assert.deepEqual(record.limits, { requestsPerMinute: 100 });
    assert.deepEqual(record.budget, { limitNanousd: 5_000_000_000, period: 'month' });
    assert.equal(record.expiresAtMs, NOW_MS + 10 * HOUR_MS);
  });

  const month = 'month' as const;
  const within: readonly [string, object][] = [
    ['fewer models', { models: ['smart'] }],
    ['a lower limit', { limits: { requestsPerMinute: 100, tokensPerMinute: 5 } }],
    ['a limit of a kind the maker has not', { limits: { concurrency: 4 } }],
    ['the same budget', { budget: { limitNanousd: 5_000_000_000, period: month } }],
    ['a budget over a longer time', { budget: { limitNanousd: 5_000_000_000, period: 'total' } }],
    ['an earlier end', { expiresAtMs: NOW_MS + HOUR_MS }],
  ];
  for (const [what, grant] of within) {
    it(`may be ${what}`, async () => {
      const { keys } = createKeyFixture();

      await keys.create(restricted, { name: 'x', role: 'service', ...grant });
    });
  }

  const beyond: readonly [string, object, string][] = [
    ['a model the maker may not use', { models: ['fast', 'dear'] }, 'models'],
    ['every model', { models: null }, 'models'],
    ['a higher limit', { limits: { requestsPerMinute: 101 } }, 'limits.requests_per_minute'],
    ['a larger budget', { budget: { limitNanousd: 5_000_000_001, period: month } }, 'budget'],
    ['a budget over a shorter time', { budget: { limitNanousd: 1, period: 'day' } }, 'budget'],
    ['no budget', { budget: null }, 'budget'],
    ['a later end', { expiresAtMs: NOW_MS + 11 * HOUR_MS }, 'expires_at'],
    ['no end', { expiresAtMs: null }, 'expires_at'],
  ];
  for (const [what, grant, field] of beyond) {
    it(`may not be ${what}, neither at first nor later`, async () => {
      const { keys } = createKeyFixture();
      const { record } = await keys.create(restricted, { name: 'x', role: 'service' });

      const creation = keys.create(restricted, { name: 'y', role: 'service', ...grant });
      await assert.rejects(creation, refuses('permission_denied', field));
      const change = keys.update(restricted, record.id, grant);
      await assert.rejects(change, refuses('permission_denied', field));
    });
  }

  it('may not lose a limit the changer has', async () => {
    const { keys } = createKeyFixture();
    const { record } = await keys.create(restricted, { name: 'x', role: 'service' });

    const change = keys.update(restricted, record.id, { limits: { concurrency: 1 } });

    await assert.rejects(change, refuses('permission_denied', 'limits.requests_per_minute'));
  });
});

describe('a key of another tenant', () => {
  const attempts = {
    read: (keys, id) => keys.get(admin, id),
    changed: (keys, id) => keys.update(admin, id, { name: 'mine' }),
    revoked: (keys, id) => keys.revoke(admin, id),
  } satisfies Record<
    string,
    (keys: ReturnType<typeof createKeyFixture>['keys'], id: string) => Promise<unknown>
  >;
  for (const [what, attempt] of Object.entries(attempts)) {
    it(`cannot be ${what}, and looks like one that is missing`, async () => {
      const { keys, repository } = createKeyFixture();
      const foreign = await keys.create(superadmin, {
        name: 'theirs',
        role: 'service',
        tenant: 'globex',
      });

      const onForeign = await attempt(keys, foreign.record.id).then(
        () => null,
        (error: GatewayError) => error,
      );
      const onMissing = await attempt(keys, 'key_missing').then(
        () => null,
        (error: GatewayError) => error,
      );

      assert.equal(onForeign?.code, 'not_found');
      assert.equal(onForeign.message, onMissing?.message);
      assert.deepEqual(repository.rows.get(foreign.record.id), foreign.record);
    });
  }

  it('is not listed to an admin and is to a superadmin', async () => {
    const { keys } = createKeyFixture();
    await keys.create(superadmin, { name: 'theirs', role: 'service', tenant: 'globex' });
    await keys.create(admin, { name: 'ours', role: 'service' });

    const page = { limit: 10, beforeId: null };
    const seenByAdmin = await keys.list(admin, page);
    const seenByAll = await keys.list(superadmin, page);
    const seenByTenant = await keys.list(superadmin, { ...page, tenant: 'globex' });

    assert.deepEqual(
      seenByAdmin.map((key) => key.name),
      ['ours'],
    );
    assert.deepEqual(
      seenByAll.map((key) => key.name),
      ['ours', 'theirs'],
    );
    assert.deepEqual(
      seenByTenant.map((key) => key.name),
      ['theirs'],
    );
    await assert.rejects(
      keys.list(admin, { ...page, tenant: 'globex' }),
      refuses('permission_denied', 'tenant'),
    );
  });
});

describe('changing and revoking a key', () => {
  it('changes what is said, removes what is null and leaves the rest', async () => {
    const { keys } = createKeyFixture();
    const { record } = await keys.create(admin, {
      name: 'before',
      role: 'service',
      models: ['fast'],
      limits: { concurrency: 2 },
      budget: { limitNanousd: 1, period: 'day' },
    });

    const changed = await keys.update(admin, record.id, { name: 'after', budget: null });

    assert.deepEqual(changed, { ...record, name: 'after', budget: null });
  });

  it('revokes at once and a second time without harm', async () => {
    const { keys, clock, fixture } = createKeyFixture();
    const { record } = await keys.create(admin, { name: 'x', role: 'service' });

    const revoked = await keys.revoke(admin, record.id);
    clock.advance(1000);
    const again = await keys.revoke(admin, record.id);

    assert.equal(revoked.revokedAtMs, NOW_MS);
    assert.equal(again.revokedAtMs, NOW_MS);
    assert.equal(fixture.refreshes, 2);
  });

  it('does not bring a revoked key back', async () => {
    const { keys } = createKeyFixture();
    const { record } = await keys.create(admin, { name: 'x', role: 'service' });
    await keys.revoke(admin, record.id);

    const change = keys.update(admin, record.id, { expiresAtMs: NOW_MS + HOUR_MS });

    await assert.rejects(change, refuses('conflict'));
  });

  it('does not let a key revoke itself', async () => {
    const { keys } = createKeyFixture();
    const { record } = await keys.create(superadmin, { name: 'x', role: 'admin', tenant: 'acme' });
    const itself = principal({ role: 'admin', tenant: 'acme', keyId: record.id });

    await assert.rejects(keys.revoke(itself, record.id), refuses('conflict'));
  });

  for (const role of ['service', 'student', 'instructor'] as const) {
    it(`is refused to the role ${role}`, async () => {
      const { keys } = createKeyFixture();
      const { record } = await keys.create(admin, { name: 'x', role: 'service' });
      const actor = principal({ role, tenant: 'acme' });

      const denied = refuses('permission_denied');
      await assert.rejects(keys.update(actor, record.id, { name: 'y' }), denied);
      await assert.rejects(keys.revoke(actor, record.id), denied);
      await assert.rejects(async () => keys.get(actor, record.id), denied);
      await assert.rejects(keys.list(actor, { limit: 1, beforeId: null }), denied);
    });
  }
});

describe('the first key', () => {
  it('is made once, for an admin of the default tenant', async () => {
    const { keys } = createKeyFixture();

    const first = await createFirstKey(keys);
    const second = await createFirstKey(keys);

    assert.equal(first?.record.role, 'admin');
    assert.equal(first.record.tenant, 'default');
    assert.equal(second, null);
  });
});
