/**
 * Goal: nobody is surprised by a price. Method: lists in both shapes against the catalogue that
 * ships, shown, applied, and then in force for a configuration that is loaded anew.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { findProvider } from '@pydantic/genai-prices';
import { type CommandLine, createCommandLine } from './fixture.ts';

interface Change {
  readonly kind: string;
  readonly vendor: string;
  readonly model: string;
  readonly before: Facts | null;
  readonly after: Facts | null;
}
interface Facts {
  readonly input_usd_per_million: number;
  readonly context_tokens: number | null;
  readonly effective_from: string | null;
}
interface Refreshed {
  readonly file: string;
  readonly is_applied: boolean;
  readonly changes: readonly Change[];
}

let line: CommandLine;
let list: string;

before(async () => {
  line = await createCommandLine();
});
after(() => line.remove());
beforeEach(() => {
  list = join(line.folder, 'list.json');
  line.env = { OPENAI_API_KEY: 'sk-1' };
});

const ROW = { vendor: 'openai', operations: ['chat'] };
const MINI = { ...ROW, model: 'gpt-4o-mini', input_usd_per_million: 9, output_usd_per_million: 8 };

async function refresh(rows: unknown, ...options: string[]): Promise<Refreshed> {
  await writeFile(list, JSON.stringify(rows));
  return line.json<Refreshed>('models', 'refresh', '--from', list, ...options);
}

function only(changes: readonly Change[]): readonly Change[] {
  return changes.filter(({ kind }) => kind !== 'missing');
}

describe('models refresh', () => {
  it('shows a changed price as a new row from today, and writes nothing', async () => {
    const { changes, is_applied, file } = await refresh([MINI]);

    const [change] = only(changes);
    assert.equal(only(changes).length, 1);
    assert.deepEqual([change?.kind, change?.model], ['price', 'gpt-4o-mini']);
    assert.equal(change?.before?.input_usd_per_million, 0.15);
    assert.equal(change?.after?.input_usd_per_million, 9);
    assert.equal(change?.after?.effective_from, '2026-11-20');
    assert.equal(is_applied, false);
    await assert.rejects(readFile(file), { code: 'ENOENT' });
  });

  it('shows a new model, a larger context, and what the list does not have', async () => {
    const context = { ...MINI, input_usd_per_million: 0.15, cached_input_usd_per_million: 0.075 };
    const { changes } = await refresh([
      { ...ROW, model: 'gpt-next', input_usd_per_million: 1, output_usd_per_million: 2 },
      { ...context, output_usd_per_million: 0.6, context_tokens: 999_999 },
    ]);

    assert.deepEqual(
      only(changes).map(({ kind, model }) => [kind, model]),
      [
        ['new', 'gpt-next'],
        ['facts', 'gpt-4o-mini'],
      ],
    );
    const missing = changes.find(({ model }) => model === 'gpt-4o');
    assert.deepEqual([missing?.kind, missing?.after], ['missing', null]);
    assert.ok(
      changes.every(({ vendor }) => vendor === 'openai'),
      'other vendors are not asked',
    );
  });

  it('takes the list’s own day where it is later, and the past for what it is', async () => {
    const later = await refresh([{ ...MINI, effective_from: '2027-01-01' }]);
    assert.equal(only(later.changes)[0]?.after?.effective_from, '2027-01-01');
  });

  it('finds nothing to change in the prices that the catalogue was made of', async () => {
    const providers = ['openai', 'deepseek', 'groq'].map((providerId) =>
      findProvider({ providerId }),
    );
    const { changes } = await refresh(providers);

    assert.deepEqual(
      only(changes).filter(({ kind }) => kind === 'price'),
      [],
    );
  });

  it('reads a changed list of genai-prices, and names of other vendors are no rows', async () => {
    const model = { id: 'gpt-4o-mini', match: { equals: 'gpt-4o-mini' } };
    const { changes } = await refresh([
      { id: 'openai', models: [{ ...model, prices: { input_mtok: 7, output_mtok: 7 } }] },
      { id: 'nobody', models: [{ ...model, prices: { input_mtok: 7 } }] },
    ]);

    const [change] = only(changes);
    assert.deepEqual([change?.kind, change?.after?.input_usd_per_million], ['price', 7]);
    assert.equal(only(changes).length, 1);
  });

  it('applied, is in force and keeps the old row; applied again, changes nothing', async () => {
    const applied = await refresh([MINI], '--apply');
    assert.equal(applied.is_applied, true);

    const { data } = await line.json<{ data: { id: string; targets: { price: Facts }[] }[] }>(
      'models',
      'list',
    );
    const mini = data.find(({ id }) => id === 'openai/gpt-4o-mini');
    assert.equal(mini?.targets[0]?.price.input_usd_per_million, 9);
    assert.equal((await refresh([MINI], '--apply')).is_applied, false);

    await refresh(
      [{ ...MINI, effective_from: '2027-01-01', input_usd_per_million: 10 }],
      '--apply',
    );
    const rows = JSON.parse(await readFile(applied.file, 'utf8'));
    assert.deepEqual(
      rows.map((row: Facts) => [row.input_usd_per_million, row.effective_from]),
      [
        [9, '2026-11-20'],
        [10, '2027-01-01'],
      ],
    );
  });

  it('tells people in a table what it did', async () => {
    await writeFile(list, JSON.stringify([{ ...MINI, input_usd_per_million: 11 }]));
    const shown = await line.run('models', 'refresh', '--from', list);
    const spanish = await line.run('models', 'refresh', '--from', list, '--lang', 'es');

    assert.match(shown.out, /price +openai\/gpt-4o-mini +9 \/ 9 \/ 8 +11 \/ 11 \/ 8 +2026-11-20/);
    assert.match(shown.out, /Nothing was written/);
    assert.match(spanish.out, /precio +openai\/gpt-4o-mini/);
  });

  it('refuses a list with a bad row by its name, no list, and no file', async () => {
    const bad = { ...MINI, input_usd_per_million: -1 };
    await writeFile(list, JSON.stringify([bad]));
    const wrong = await line.run('models', 'refresh', '--from', list);
    assert.notEqual(wrong.exitCode, 0);
    assert.match(wrong.err, /openai\/gpt-4o-mini.*input_usd_per_million/);

    await writeFile(list, 'not JSON');
    assert.notEqual((await line.run('models', 'refresh', '--from', list)).exitCode, 0);
    const missing = await line.run('models', 'refresh', '--from', join(line.folder, 'none.json'));
    assert.equal(missing.exitCode, 1);
    assert.equal((await line.run('models', 'refresh')).exitCode, 2);
  });

  it('keeps a server from starting on a broken file of one’s own, and names it', async () => {
    const { file } = await refresh([MINI]);
    await writeFile(file, '[{"vendor":"nobody"}]');

    const { exitCode, err } = await line.run('config', 'check');

    assert.notEqual(exitCode, 0);
    assert.ok(err.includes(file), err);
  });
});
