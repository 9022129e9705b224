/**
 * Verbs about people and the audit log, over a real database in a folder of its own.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { auditListSchema, userListSchema, userSchema } from '@esclusa/contracts';
import { type CommandLine, createCommandLine } from './fixture.ts';

describe('people on the command line', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
  });
  after(() => line.remove());

  function change(sql: string, ...values: string[]): void {
    const database = new DatabaseSync(join(line.folder, 'data', 'esclusa.sqlite'));
    database.prepare(sql).run(...values);
    database.close();
  }

  it('are made with a password that is shown once, listed, closed and removed', async () => {
    const made = await line.json<{ password: string }>('users', 'create', 'ana@uni.example');
    const user = userSchema.parse(made);
    const listed = userListSchema.parse(await line.json('users', 'list'));
    const closed = userSchema.parse(
      await line.json('users', 'update', 'ana@uni.example', '--active', 'no', '--roles', 'admin'),
    );
    const removed = userSchema.parse(await line.json('users', 'remove', 'ANA', '--yes'));

    assert.ok(made.password.length >= 20);
    assert.deepEqual(listed.data, [user]);
    assert.equal(user.username, 'ana');
    assert.deepEqual(user.roles, ['student']);
    assert.deepEqual([closed.is_active, closed.roles], [false, ['admin']]);
    assert.equal(removed.id, user.id);
    assert.deepEqual((await line.json<{ data: unknown[] }>('users', 'list')).data, []);
  });

  it('are refused in one line that says what is wrong', async () => {
    const role = await line.run('users', 'create', 'xenia@uni.example', '--roles', 'king');
    const email = await line.run('users', 'create', 'nobody');
    const weak = await line.run('users', 'create', 'xenia@uni.example', '--password', 'Password1');
    const missing = await line.run('users', 'update', 'ghost', '--active', 'no');
    const nothing = await line.run('users', 'update', 'ghost');

    assert.deepEqual(
      [role, email, weak, missing, nothing].map(({ exitCode }) => exitCode),
      [2, 2, 1, 1, 2],
    );
    assert.match(role.err, /--roles: expected student, instructor, admin or superadmin/);
    assert.match(email.err, /<email>: expected an e-mail address/);
    assert.match(weak.err, /commonest/);
    assert.match(missing.err, /There is no user ghost/);
  });

  it('are invited with a token that is shown once', async () => {
    const made = await line.json<{ invitation: string }>('users', 'invite', '--roles', 'admin');

    assert.match(made.invitation, /^esi_[\w-]{32}$/);
  });

  it('leave a chain that is whole, and whose first broken entry is named', async () => {
    const listed = auditListSchema.parse(await line.json('audit', 'list'));
    const whole = await line.run('audit', 'verify');
    const [, anchor = ''] = /(\d+:[0-9a-f]{64})/.exec(whole.out) ?? [];
    const anchored = await line.run('audit', 'verify', '--anchor', anchor);

    change("update audit_log set actor = 'usr_other' where sequence = 2");
    const changed = await line.run('audit', 'verify', '--lang', 'es');
    change("update audit_log set actor = 'key_operator' where sequence = 2");
    const restored = await line.run('audit', 'verify');
    change('delete from audit_log where sequence = 3');
    const missing = await line.run('audit', 'verify', '--json');
    change('delete from audit_log where sequence > 2');
    const cut = await line.run('audit', 'verify', '--json');
    change(
      'update audit_head set sequence = 2, hash = (select hash from audit_log where sequence = 2)',
    );
    const cutWithHead = await line.run('audit', 'verify');
    const cutButNoted = await line.run('audit', 'verify', '--anchor', anchor, '--json');

    assert.deepEqual(
      listed.data.map(({ action }) => action),
      ['users.invite', 'users.remove', 'users.update', 'users.create'],
    );
    assert.equal(whole.exitCode, 0, whole.err);
    assert.equal(anchored.exitCode, 0);
    assert.equal(changed.exitCode, 1);
    assert.match(changed.out, /El asiento 2 fue cambiado/);
    assert.equal(restored.exitCode, 0);
    assert.deepEqual(JSON.parse(missing.out), { kind: 'broken', sequence: 3, problem: 'missing' });
    assert.deepEqual(JSON.parse(cut.out), { kind: 'broken', sequence: 3, problem: 'end_missing' });
    // A head that was cut off with the entries can only be told by one that was noted.
    assert.equal(cutWithHead.exitCode, 0);
    assert.equal(JSON.parse(cutButNoted.out).problem, 'end_missing');
  });

  it('bring a bcrypt hash along, and are told in their language what is wrong', async () => {
    const hash = `$2b$10$${'a'.repeat(53)}`;
    const made = userSchema.parse(
      await line.json('users', 'create', 'imp@uni.example', '--password-hash', hash),
    );
    const create = (...more: readonly string[]) =>
      line.run('users', 'create', 'otra@uni.example', '--lang', 'es', ...more);
    const both = await create('--password', 'Camino-al-mar-77', '--password-hash', hash);
    const other = await create('--password-hash', '5f4dcc3b5aa765d61d8327deb882cf99');
    const weak = await create('--password', 'Password1');

    assert.equal(made.has_password, true);
    assert.deepEqual(
      [both, other, weak].map(({ exitCode }) => exitCode),
      [2, 2, 1],
    );
    assert.match(both.err, /--password o --password-hash, no las dos/);
    assert.match(other.err, /--password-hash: se espera bcrypt/);
    assert.match(weak.err, /La contraseña necesita 8 caracteres/);
  });
});
