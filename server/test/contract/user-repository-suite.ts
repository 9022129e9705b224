/**
 * What every keeper of users, families of refresh tokens and invitations promises
 * (`identity/ports/`).
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { FamilyRecord, FamilyRepository } from '../../src/identity/ports/family-repository.ts';
import type { InvitationRepository } from '../../src/identity/ports/invitation-repository.ts';
import type { UserRecord, UserRepository } from '../../src/identity/ports/user-repository.ts';
import type { TenantRepository } from '../../src/tenancy/ports/tenant-repository.ts';
import { tenantRecord } from '../support/tenant-record.ts';

export interface PeopleHarness {
  readonly users: UserRepository;
  readonly families: FamilyRepository;
  readonly invitations: InvitationRepository;
  readonly tenants: TenantRepository;
}

type Open = (t: TestContext) => Promise<PeopleHarness>;

export function userRepositorySuite(name: string, open: Open): void {
  test(`${name}: a user is read back whole, by id, address, name and subject`, async (t) => {
    const { users } = await open(t);
    const full: UserRecord = {
      ...user('usr_full'),
      username: 'Ana_Ruiz',
      passwordHash: '$argon2id$x',
      subject: 'https://id.example 42',
      roles: ['student', 'instructor'],
      isVerified: false,
      models: ['fast'],
      limits: { requestsPerMinute: 5 },
      budget: { limitNanousd: 9_007_199_254_740_991, period: 'month' },
      lastLoginAtMs: 1_700_000_000_500,
    };

    await users.insert(full);
    await users.insert(user('usr_bare'));

    assert.deepEqual(await users.get('usr_full', null), full);
    assert.deepEqual(await users.find({ email: 'usr_full@example.org' }), full);
    assert.deepEqual(await users.find({ username: 'aNA_ruiz' }), full);
    assert.deepEqual(await users.findBySubject('https://id.example 42'), full);
    assert.deepEqual(await users.get('usr_bare', null), user('usr_bare'));
    assert.equal(await users.get('usr_other', null), null);
    assert.equal(await users.find({ email: 'other@example.org' }), null);
  });

  test(`${name}: an address or a name that is taken is a conflict that names it`, async (t) => {
    const { users } = await open(t);
    await users.insert({ ...user('usr_1'), username: 'Ana' });
    await users.insert(user('usr_2'));

    const refusals = [
      [users.insert({ ...user('usr_3'), email: 'usr_1@example.org' }), 'conflict', 'email'],
      [users.insert({ ...user('usr_4'), username: 'aNa' }), 'conflict', 'username'],
      [users.update('usr_2', null, { username: 'ANA' }), 'conflict', 'username'],
      [users.insert({ ...user('usr_5'), tenant: 'nowhere' }), 'invalid_request', 'tenant'],
    ] as const;

    await Promise.all(refusals.map(([work, code, field]) => assert.rejects(work, { code, field })));
    assert.equal((await users.changedSince(0)).users.length, 2);
  });

  test(`${name}: pages of users come newest first and stay inside the tenant`, async (t) => {
    const { users, tenants } = await open(t);
    await tenants.insert(tenantRecord('acme'));
    for (const id of ['usr_1', 'usr_3', 'usr_5']) await users.insert(user(id));
    await users.insert({ ...user('usr_2'), tenant: 'acme' });

    const everyone = await users.list({ tenant: null, limit: 3, beforeId: null });
    const rest = await users.list({ tenant: null, limit: 3, beforeId: 'usr_2' });
    const acme = await users.list({ tenant: 'acme', limit: 9, beforeId: null });

    assert.deepEqual(everyone.map(idOf), ['usr_5', 'usr_3', 'usr_2']);
    assert.deepEqual(rest.map(idOf), ['usr_1']);
    assert.deepEqual(acme.map(idOf), ['usr_2']);
  });

  test(`${name}: nobody is read, changed or removed under another tenant's name`, async (t) => {
    const { users, tenants, families } = await open(t);
    await tenants.insert(tenantRecord('acme'));
    await users.insert({ ...user('usr_1'), tenant: 'acme' });
    await families.insert(family('fam_1', 'usr_1'), KEEP_ALL);

    const read = await users.get('usr_1', 'default');
    const changed = await users.update('usr_1', 'default', { roles: ['admin'] });
    const removed = await users.remove('usr_1', 'default');

    assert.deepEqual([read, changed, removed], [null, null, false]);
    assert.deepEqual((await users.get('usr_1', 'acme'))?.roles, user('usr_1').roles);
    assert.equal((await families.get('fam_1'))?.endedAtMs, null);
  });

  test(`${name}: a version answers what changed after it, and who was removed`, async (t) => {
    const { users } = await open(t);
    await users.insert(user('usr_1'));
    await users.insert(user('usr_2'));
    const seen = await users.changedSince(0);

    await users.touch('usr_1', 1_700_000_000_001);
    const afterTouch = await users.changedSince(seen.version);
    await users.update('usr_1', null, { roles: ['admin'], isActive: false });
    const isRemoved = await users.remove('usr_2', null);
    const changed = await users.changedSince(seen.version);

    assert.deepEqual(afterTouch.users, []);
    assert.equal((await users.get('usr_1', null))?.lastLoginAtMs, 1_700_000_000_001);
    assert.equal(isRemoved, true);
    assert.deepEqual(changed.users.map(idOf), ['usr_1']);
    assert.deepEqual(changed.removedIds, ['usr_2']);
    assert.equal(changed.users[0]?.isActive, false);
  });

  test(`${name}: a removed user is gone, and address and name are free again`, async (t) => {
    const { users, families } = await open(t);
    await users.insert(user('usr_1'));
    await families.insert(family('fam_1', 'usr_1'), KEEP_ALL);

    await users.remove('usr_1', null);
    const again = await users.remove('usr_1', null);
    await users.insert({ ...user('usr_2'), email: 'usr_1@example.org', username: 'usr_1' });

    assert.equal(again, false);
    assert.equal(await users.get('usr_1', null), null);
    assert.equal(await families.get('fam_1'), null);
    assert.equal(await users.update('usr_1', null, { isActive: true }), null);
    assert.deepEqual((await users.list({ tenant: null, limit: 9, beforeId: null })).map(idOf), [
      'usr_2',
    ]);
  });

  test(`${name}: of two administrators who remove each other at once one stays`, async (t) => {
    const { users } = await open(t);
    await users.insert({ ...user('usr_1'), roles: ['admin'] });
    await users.insert({ ...user('usr_2'), roles: ['student', 'admin'] });
    await users.insert({ ...user('usr_3'), roles: ['admin'], isActive: false });
    const mustRemain = [{ tenant: 'default', roles: ['admin' as const, 'superadmin' as const] }];

    const both = await Promise.allSettled([
      users.update('usr_1', null, { roles: ['student'] }, mustRemain),
      users.remove('usr_2', null, mustRemain),
    ]);

    assert.deepEqual(both.map(({ status }) => status).sort(), ['fulfilled', 'rejected']);
    const left = await users.list({ tenant: null, limit: 9, beforeId: null });
    const admins = left.filter((each) => each.isActive && each.roles.includes('admin'));
    assert.equal(admins.length, 1);
  });

  test(`${name}: who may not sign in is nobody who remains`, async (t) => {
    const { users } = await open(t);
    await users.insert({ ...user('usr_1'), roles: ['admin'] });
    await users.insert({ ...user('usr_2'), roles: ['admin'], isActive: false });
    await users.insert({ ...user('usr_3'), roles: ['admin'], isVerified: false });
    const mustRemain = [{ tenant: 'default', roles: ['admin' as const] }];

    const unverified = users.update('usr_1', null, { isVerified: false }, mustRemain);
    await assert.rejects(unverified, { code: 'conflict' });
    await assert.rejects(users.remove('usr_1', null, mustRemain), { code: 'conflict' });

    assert.equal((await users.get('usr_1', null))?.isVerified, true);
  });
}

export function familyRepositorySuite(name: string, open: Open): void {
  test(`${name}: of twins that rotate one generation exactly one succeeds`, async (t) => {
    const { users, families } = await open(t);
    await users.insert(user('usr_1'));
    await families.insert(family('fam_1', 'usr_1'), KEEP_ALL);
    const rotation = { fromGeneration: 1, client: 'c2', nowMs: 50, expiresAtMs: 2000 };

    const twins = await Promise.all([
      families.rotate('fam_1', rotation),
      families.rotate('fam_1', rotation),
    ]);

    assert.deepEqual(twins.sort(), [false, true]);
    assert.deepEqual(await families.get('fam_1'), {
      ...family('fam_1', 'usr_1'),
      generation: 2,
      client: 'c2',
      rotatedAtMs: 50,
      expiresAtMs: 2000,
    });
  });

  test(`${name}: an ended family does not rotate, and its end is heard of once`, async (t) => {
    const { users, families } = await open(t);
    await users.insert(user('usr_1'));
    for (const id of ['fam_1', 'fam_2']) await families.insert(family(id, 'usr_1'), KEEP_ALL);
    const before = await families.endedSince(0, 0);

    await families.end('fam_1', 'logout', 70);
    await families.end('fam_1', 'reuse', 90);
    const rotation = { fromGeneration: 1, client: 'c', nowMs: 95, expiresAtMs: 2000 };
    const isRotated = await families.rotate('fam_1', rotation);
    const after = await families.endedSince(before.version, 0);

    assert.deepEqual(before.ended, []);
    assert.equal(isRotated, false);
    assert.deepEqual(after.ended, [{ id: 'fam_1', endedAtMs: 70 }]);
    assert.equal((await families.get('fam_1'))?.endReason, 'logout');
    assert.deepEqual((await families.endedSince(0, 71)).ended, []);
  });

  test(`${name}: every family of one user ends, and of nobody else`, async (t) => {
    const { users, families } = await open(t);
    for (const id of ['usr_1', 'usr_2']) await users.insert(user(id));
    await families.insert(family('fam_1', 'usr_1'), KEEP_ALL);
    await families.insert(family('fam_2', 'usr_1'), KEEP_ALL);
    await families.insert(family('fam_3', 'usr_2'), KEEP_ALL);

    await families.endAllOf('usr_1', 'password', 80);

    const { ended } = await families.endedSince(0, 0);
    assert.deepEqual(ended.map(idOf).sort(), ['fam_1', 'fam_2']);
    assert.equal((await families.get('fam_3'))?.endedAtMs, null);
  });

  test(`${name}: beyond the bound the eldest end, and those long expired are gone`, async (t) => {
    const { users, families } = await open(t);
    await users.insert(user('usr_1'));
    const old = { ...family('fam_0', 'usr_1'), expiresAtMs: 10 };
    await families.insert(old, KEEP_ALL);
    for (const id of ['fam_1', 'fam_2', 'fam_3']) {
      await families.insert(family(id, 'usr_1'), { keep: 2, forgetBeforeMs: 11 });
    }

    assert.equal(await families.get('fam_0'), null);
    assert.equal((await families.get('fam_1'))?.endReason, 'displaced');
    assert.equal((await families.get('fam_2'))?.endedAtMs, null);
  });

  test(`${name}: families of a user that live are listed, newest first`, async (t) => {
    const { users, families } = await open(t);
    for (const id of ['usr_1', 'usr_2']) await users.insert(user(id));
    await families.insert({ ...family('fam_1', 'usr_1'), expiresAtMs: 10 }, KEEP_ALL);
    for (const id of ['fam_2', 'fam_3', 'fam_4']) {
      await families.insert(family(id, 'usr_1'), KEEP_ALL);
    }
    await families.insert(family('fam_5', 'usr_2'), KEEP_ALL);
    await families.end('fam_3', 'logout', 70);

    const living = await families.livingOf('usr_1', 80);

    assert.deepEqual(living, [family('fam_4', 'usr_1'), family('fam_2', 'usr_1')]);
    assert.deepEqual(await families.livingOf('usr_1', 1000), []);
  });

  test(`${name}: a source is known to the user who signed in from it`, async (t) => {
    const { users, families } = await open(t);
    for (const id of ['usr_1', 'usr_2']) await users.insert(user(id));
    await families.insert(family('fam_1', 'usr_1'), KEEP_ALL);

    assert.equal(await families.knowsSource('usr_1', 'source 1'), true);
    assert.equal(await families.knowsSource('usr_1', 'source 2'), false);
    assert.equal(await families.knowsSource('usr_2', 'source 1'), false);
  });

  test(`${name}: an invitation is used by one of two, and can be given back`, async (t) => {
    const { invitations } = await open(t);
    const record = {
      id: 'inv_1',
      tenant: 'default',
      email: null,
      roles: ['instructor' as const],
      tokenHash: 'hash',
      createdAtMs: 1,
      expiresAtMs: 100,
      usedAtMs: null,
    };
    await invitations.insert(record);

    const uses = await Promise.all([invitations.use('inv_1', 5), invitations.use('inv_1', 6)]);
    const used = await invitations.find('hash');
    await invitations.giveBack('inv_1');

    assert.deepEqual(uses.sort(), [false, true]);
    assert.notEqual(used?.usedAtMs, null);
    assert.deepEqual(await invitations.find('hash'), record);
    assert.equal(await invitations.find('other'), null);
  });
}

const KEEP_ALL = { keep: 50, forgetBeforeMs: 0 };

function user(id: string): UserRecord {
  return {
    id,
    tenant: 'default',
    email: `${id}@example.org`,
    username: id,
    passwordHash: null,
    subject: null,
    roles: ['student'],
    isActive: true,
    isVerified: true,
    models: null,
    limits: {},
    budget: null,
    createdAtMs: 1_700_000_000_000,
    lastLoginAtMs: null,
  };
}

function family(id: string, userId: string): FamilyRecord {
  return {
    id,
    userId,
    generation: 1,
    client: 'c1',
    source: 'source 1',
    createdAtMs: 20,
    rotatedAtMs: 20,
    expiresAtMs: 1000,
    endedAtMs: null,
    endReason: null,
  };
}

function idOf({ id }: { readonly id: string }): string {
  return id;
}
