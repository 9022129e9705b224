/**
 * Verbs that work on the data: keys, tenants, the seeded ledger, usage and requests, over a
 * real database in a folder of its own.
 */
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import {
  keyCreatedSchema,
  keyListSchema,
  requestListSchema,
  usageReportSchema,
} from '@esclusa/contracts';
import { printable } from '../../../src/cli/table.ts';
import { type CommandLine, createCommandLine } from './fixture.ts';

interface Seeded {
  readonly requests: number;
  readonly keys: readonly { readonly id: string; readonly key: string | null }[];
}

describe('keys and tenants on the command line', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
  });
  after(() => line.remove());

  it('are made, listed and revoked in the shapes of the control plane', async () => {
    const tenant = await line.json<{ slug: string }>('tenants', 'create', 'acme', 'Acme');
    const made = keyCreatedSchema.parse(
      await line.json(
        'keys',
        'create',
        'Batch',
        '--tenant',
        'acme',
        '--models',
        'fast, smart',
        '--budget',
        '1.50/day',
        '--requests-per-minute',
        '60',
        '--expires',
        '2027-01-01',
      ),
    );
    const listed = keyListSchema.parse(await line.json('keys', 'list', '--tenant', 'acme'));
    const revoked = await line.json<{ status: string }>('keys', 'revoke', made.id, '--yes');

    const { key: secret, ...shown } = made;
    assert.equal(tenant.slug, 'acme');
    assert.deepEqual(listed, { data: [shown], next: null });
    assert.deepEqual(made.models, ['fast', 'smart']);
    assert.deepEqual(made.budget, { limit_usd: '1.5', period: 'day' });
    assert.equal(made.expires_at, '2027-01-01T00:00:00.000Z');
    assert.equal(revoked.status, 'revoked');
    const database = readFileSync(join(line.folder, 'data', 'esclusa.sqlite'), 'latin1');
    assert.equal(database.includes(secret), false);
    assert.equal(statSync(join(line.folder, 'data', 'secrets.json')).mode & 0o777, 0o600);
  });

  it('show the secret to people once, and never in the table', async () => {
    const made = await line.run('keys', 'create', 'Personas', '--lang', 'es');
    const listed = await line.run('keys', 'list');

    const secret = /esk_[A-Za-z0-9_-]{43}/.exec(made.out)?.[0] ?? '';
    assert.match(made.out, /^Clave «Personas» del inquilino default:\n {2}esk_/);
    assert.equal(secret.length, 47);
    assert.equal(listed.out.includes(secret), false);
    assert.match(listed.out, /^ID +NAME +TENANT/);
  });

  it('ask a person before revoking, and do nothing without a yes', async () => {
    const { id } = keyCreatedSchema.parse(await line.json('keys', 'create', 'Asked'));
    line.answer = false;

    const refused = await line.run('keys', 'revoke', id);
    const after = keyListSchema.parse(await line.json('keys', 'list'));
    line.answer = null;

    assert.equal(refused.exitCode, 1);
    assert.equal(refused.out, 'Nothing was changed.\n');
    assert.equal(line.questions.length, 1);
    assert.equal(after.data.find((key) => key.id === id)?.status, 'active');
  });

  it('carry the code of what is missing or taken, for scripts', async () => {
    await line.run('tenants', 'create', 'twice', 'Twice');
    for (const [words, code] of [
      [['keys', 'revoke', 'key_0', '--yes'], 'not_found'],
      [['requests', 'show', 'req_0'], 'not_found'],
      [['tenants', 'show', 'nobody'], 'not_found'],
      [['users', 'remove', 'nobody@example.org', '--yes'], 'not_found'],
      [['tenants', 'create', 'twice', 'Twice'], 'conflict'],
      [['tenants', 'update', 'twice'], 'usage'],
    ] as const) {
      const { exitCode, err } = await line.run(...words, '--json');
      const said = JSON.parse(err) as { readonly error: { readonly code: string } };
      assert.deepEqual([said.error.code, exitCode], [code, code === 'usage' ? 2 : 1], err);
    }
  });

  it('say in one line what is missing or taken, exit code 1', async () => {
    const key = await line.run('keys', 'revoke', 'key_0', '--yes', '--lang', 'es');
    const tenant = await line.run('tenants', 'create', 'default', 'Again');
    const request = await line.run('requests', 'show', 'req_0');

    assert.deepEqual([key.exitCode, key.err], [1, 'Error: No hay ninguna clave key_0.\n']);
    assert.deepEqual(
      [tenant.exitCode, tenant.err],
      [1, 'Error: There is a tenant default already.\n'],
    );
    assert.deepEqual([request.exitCode, request.err], [1, 'Error: There is no exchange req_0.\n']);
  });

  it('say why the operators’ own tenant stays as it is, in both languages', async () => {
    for (const words of [['suspend'], ['move', '--to', 'file'], ['erase', '--yes']]) {
      const [verb = '', ...options] = words;
      const english = await line.run('tenants', verb, 'default', ...options);
      const spanish = await line.run('tenants', verb, 'default', ...options, '--lang', 'es');

      assert.deepEqual([english.exitCode, spanish.exitCode], [1, 1]);
      assert.match(english.err, /default is the tenant of the operators' own keys/);
      assert.match(spanish.err, /default es el inquilino de las claves de los operadores/);
    }
  });

  it('are listed page by page', async () => {
    const all = keyListSchema.parse(await line.json('keys', 'list'));
    const first = keyListSchema.parse(await line.json('keys', 'list', '--limit', '2'));
    const rest = keyListSchema.parse(
      await line.json('keys', 'list', '--before', String(first.next)),
    );
    const table = await line.run('keys', 'list', '--limit', '2');

    assert.deepEqual([...first.data, ...rest.data], all.data);
    assert.equal(table.out.includes(`the same with --before ${first.next}`), true);
  });
});

describe('the seeded tenant', () => {
  let line: CommandLine;
  let first: Seeded;
  before(async () => {
    line = await createCommandLine();
    first = await line.json<Seeded>('seed');
  });
  after(() => line.remove());

  it('has four keys and several hundred exchanges with everything that happens', async () => {
    const page = requestListSchema.parse(await line.json('requests', 'list', '--limit', '1000'));

    assert.equal(first.keys.filter(({ key }) => key !== null).length, 4);
    assert.equal(first.requests > 300, true);
    assert.equal(page.data.length, first.requests);
    assert.deepEqual([...new Set(page.data.map((row) => row.outcome))].sort(), [
      'aborted',
      'completed',
      'failed',
      'rejected',
    ]);
    assert.equal(
      page.data.some((row) => row.cache === 'HIT' && row.cost_nanousd === 0),
      true,
    );
    assert.equal(
      page.data.every((row) => row.cost_nanousd !== null),
      true,
    );
    assert.equal(
      page.data.every((row) => row.tenant === 'valle-claro'),
      true,
    );
    assert.equal(
      page.data.every((row) => Date.parse(row.created_at) <= Date.UTC(2026, 10, 20, 18, 30)),
      true,
    );
  });

  it('changes nothing when it is seeded again', async () => {
    const again = await line.json<Seeded>('seed');
    const page = requestListSchema.parse(await line.json('requests', 'list', '--limit', '1000'));

    assert.equal(again.requests, first.requests);
    assert.equal(page.data.length, first.requests);
    assert.deepEqual(
      again.keys.map(({ key }) => key),
      [null, null, null, null],
    );
    assert.deepEqual(
      again.keys.map(({ id }) => id),
      first.keys.map(({ id }) => id),
    );
  });

  it('adds up to the nano-dollar, whatever it is summed by', async () => {
    const rows = requestListSchema.parse(
      await line.json('requests', 'list', '--limit', '1000'),
    ).data;
    const cost = rows.reduce((sum, row) => sum + (row.cost_nanousd ?? 0), 0);

    for (const by of ['model', 'provider', 'key', 'tenant', 'day', 'model,day']) {
      const report = usageReportSchema.parse(
        await line.json('usage', '--by', by, '--limit', '1000'),
      );
      const sum = report.data.reduce((total, row) => total + row.cost_nanousd, 0);
      const requests = report.data.reduce((total, row) => total + row.requests, 0);
      assert.equal(sum, cost, by);
      assert.equal(requests, rows.length, by);
    }
  });

  it('is shown to people in aligned columns with a sum', async () => {
    const { out } = await line.run('usage', '--by', 'tenant', '--lang', 'es');

    const [title, row, total, ...more] = out.trimEnd().split('\n');
    assert.match(title ?? '', /^INQUILINO +PETICIONES +FALLIDAS +DE CACHÉ +ENTRADA +SALIDA +COSTE/);
    assert.match(row ?? '', /^valle-claro +\d/);
    assert.match(total ?? '', /^suma +\d/);
    assert.equal(row?.length, total?.length);
    assert.deepEqual(more, []);
  });

  it('is filtered by time, model and outcome', async () => {
    const all = requestListSchema.parse(
      await line.json('requests', 'list', '--limit', '1000'),
    ).data;
    const filtered = requestListSchema.parse(
      await line.json(
        'requests',
        'list',
        '--limit',
        '1000',
        '--since',
        '3d',
        '--until',
        '2026-11-20',
        '--model',
        'fast',
        '--outcome',
        'completed',
      ),
    ).data;

    const from = Date.UTC(2026, 10, 17, 18, 30);
    const to = Date.UTC(2026, 10, 20);
    const expected = all.filter(
      (row) =>
        row.model === 'fast' &&
        row.outcome === 'completed' &&
        Date.parse(row.created_at) >= from &&
        Date.parse(row.created_at) < to,
    );
    assert.equal(expected.length > 0, true);
    assert.deepEqual(filtered, expected);
  });

  it('lets one exchange be looked at', async () => {
    const rows = requestListSchema.parse(await line.json('requests', 'list', '--limit', '1')).data;
    const id = rows[0]?.id ?? '';

    const shown = await line.json('requests', 'show', id);
    const { out } = await line.run('requests', 'show', id);

    assert.deepEqual(shown, rows[0]);
    assert.equal(out.includes(id), true);
    assert.match(out, /^input_tokens +\d/m);
  });

  it('is not made in production unless it is forced', async () => {
    line.env = { ENVIRONMENT: 'production' };

    const { exitCode, err } = await line.run('seed');
    line.env = {};

    assert.equal(exitCode, 1);
    assert.match(err, /production/);
  });
});

describe('a table', () => {
  it('shows what clients sent without what would steer the terminal', () => {
    assert.equal(printable('gpt\u001b[2J\u0007\n\u202e4'), 'gpt�[2J���4');
    assert.equal(printable('x'.repeat(100)).length, 48);
  });
});
