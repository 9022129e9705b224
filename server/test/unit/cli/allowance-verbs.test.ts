/**
 * `tenants limits` and `secrets rotate`, over a real database in a folder of its own.
 */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type CommandLine, createCommandLine } from './fixture.ts';

describe('limits and budgets on the command line', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
    await line.run('tenants', 'create', 'acme', 'Acme');
  });
  after(() => line.remove());

  it('of a tenant are set one by one, shown, and taken away', async () => {
    const set = await line.run(
      ...['tenants', 'limits', 'acme', '--requests-per-minute', '60', '--concurrency', '4'],
      ...['--budget', '20/month/soft'],
    );
    const shown = await line.json('tenants', 'limits', 'acme');
    const less = await line.json(
      ...['tenants', 'limits', 'acme', '--concurrency', 'none', '--budget', 'none'],
    );

    assert.equal(set.out, 'Tenant acme was changed.\n');
    assert.deepEqual(shown, {
      ...{ slug: 'acme', limits: { requests_per_minute: 60, concurrency: 4 } },
      ...{ budget: { limit_usd: '20', period: 'month', soft: true }, models: {} },
    });
    assert.deepEqual(less, {
      ...{ slug: 'acme', limits: { requests_per_minute: 60 }, budget: null, models: {} },
    });
  });

  it('of single models leave those of others alone', async () => {
    const limits = ['tenants', 'limits', 'acme', '--model'];
    await line.run(...limits, 'fast', '--budget', '1.5/day');
    await line.run(...limits, 'smart', '--tokens-per-minute', '9');
    const { models } = await line.json<{ models: unknown }>(
      ...limits,
      'fast',
      '--concurrency',
      '2',
    );

    assert.deepEqual(models, {
      fast: { limits: { concurrency: 2 }, budget: { limit_usd: '1.5', period: 'day' } },
      smart: { limits: { tokens_per_minute: 9 }, budget: null },
    });
  });

  it('of a key and of a person are set, shown and taken away alike', async () => {
    const { id } = await line.json<{ id: string }>('keys', 'create', 'Tutor', '--tenant', 'acme');
    const email = 'ana@acme.example';
    await line.json('users', 'create', email, '--tenant', 'acme', '--roles', 'student');
    for (const whose of [
      ['keys', 'limits', id],
      ['users', 'limits', email],
    ]) {
      const set = await line.run(...whose, '--concurrency', '4', '--budget', '20/month');
      await line.run(...whose, '--requests-per-minute', '60');
      const shown = await line.json<{ limits: unknown; budget: unknown }>(...whose);
      const less = await line.json<{ limits: unknown; budget: unknown }>(
        ...[...whose, '--concurrency', 'none', '--budget', 'none'],
      );

      assert.equal(set.exitCode, 0, set.err);
      assert.deepEqual(
        [shown.limits, shown.budget],
        [
          { requests_per_minute: 60, concurrency: 4 },
          { limit_usd: '20', period: 'month' },
        ],
      );
      assert.deepEqual([less.limits, less.budget], [{ requests_per_minute: 60 }, null]);
    }
    const missing = await line.run('keys', 'limits', 'key_x', '--budget', '1/day');
    assert.equal(missing.exitCode, 1);
  });

  it('are listed with what is booked, whoever has them', async () => {
    const key = ['keys', 'create', 'Night', '--tenant', 'acme', '--budget', '7/total'];
    const { id } = await line.json<{ id: string }>(...key);
    await line.run('tenants', 'limits', 'acme', '--budget', '50/day');
    await line.run('tenants', 'limits', 'acme', '--model', 'fast', '--budget', '3/month/soft');

    const { data } = await line.json<{ data: readonly Record<string, unknown>[] }>(
      ...['budgets', '--tenant', 'acme'],
    );
    const table = await line.run('budgets', '--lang', 'es');

    const found = data.map(({ scope, id: of, limit_nanousd, booked_nanousd, renews_at }) => [
      ...[scope, of, limit_nanousd, booked_nanousd, renews_at],
    ]);
    assert.deepEqual(found, [
      ['key', id, 7_000_000_000, 0, null],
      ['tenant', 'acme', 50_000_000_000, 0, '2026-11-21T00:00:00.000Z'],
      ['model', 'fast', 3_000_000_000, 0, '2026-12-01T00:00:00.000Z'],
    ]);
    assert.match(table.out, /SE RENUEVA/);
    assert.match(table.out, /nunca/);
  });

  it('that make no sense are refused in one line', async () => {
    const budget = await line.run('tenants', 'limits', 'acme', '--budget', '5/day/gently');
    const limit = await line.run('tenants', 'limits', 'acme', '--concurrency', 'many');
    const missing = await line.run('tenants', 'limits', 'ghost', '--lang', 'es');

    assert.deepEqual([budget.exitCode, missing.exitCode], [2, 1]);
    assert.notEqual(limit.exitCode, 0);
    assert.match(budget.err, /--budget: expected dollars and a period/);
    assert.match(missing.err, /No hay ningún inquilino ghost/);
  });
});

describe('secrets rotate', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
  });
  after(() => line.remove());

  it('counts derived keys on where no secret is set, and writes nothing', async () => {
    const before = readdirSync(line.folder, { recursive: true });

    const told = await line.json('secrets', 'rotate');

    assert.deepEqual(told, { set: { 'auth.key_generation': 2 }, forget_after_seconds: 1800 });
    assert.deepEqual(readdirSync(line.folder, { recursive: true }), before);
  });

  it('says what to set where the secret is the operator’s, and never the old one', async () => {
    const old = 'the-secret-that-signs-tokens-now-and-no-longer';
    line.env = { JWT_SECRET_KEY: old };

    const first = await line.run('secrets', 'rotate');
    const second = await line.run('secrets', 'rotate', '--lang', 'es');

    const secretIn = (out: string) => /^JWT_SECRET_KEY=(\S{43})$/m.exec(out)?.[1];
    assert.match(first.out, /Move the value of JWT_SECRET_KEY to JWT_PREVIOUS_SECRET_KEY/);
    assert.match(second.out, /Pase el valor/);
    assert.notEqual(secretIn(first.out), undefined);
    assert.notEqual(secretIn(first.out), secretIn(second.out));
    assert.equal(`${first.out}${second.out}`.includes(old), false);
    const files = readdirSync(line.folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map((file) => join(file.parentPath, file.name));
    assert.ok(texts.every((path) => !readFileSync(path).includes(secretIn(first.out) ?? '?')));
  });
});
