/**
 * What lies in the data folder is its owner's alone, even where the umask would let everybody
 * in. The disk and the storage are real.
 */
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { temporaryFolder } from '../../support/afterwards.ts';
import { ledgerEntry, openAt } from '../../support/storage.ts';

/** Every path below the folder with its permissions, the folder itself under `.`. */
function modesOf(folder: string): ReadonlyMap<string, number> {
  const names = ['.', ...readdirSync(folder, { recursive: true, encoding: 'utf8' })];
  return new Map(names.map((name) => [name, statSync(join(folder, name)).mode & 0o777]));
}

function withoutUmask(t: TestContext): void {
  const before = process.umask(0);
  t.after(() => process.umask(before));
}

const skip = process.platform === 'win32' ? 'no such permissions here' : false;

test('nobody else can read any file or folder that storage makes', { skip }, async (t) => {
  const dataDir = join(temporaryFolder(t), 'data');
  withoutUmask(t);
  const storage = await openAt({ dataDir });
  await storage.ledger.append(ledgerEntry({}));
  const modes = modesOf(dataDir);
  await storage.close();

  const names = [...modes.keys()];
  for (const file of [
    'esclusa.sqlite',
    'esclusa.sqlite-wal',
    'esclusa.sqlite-shm',
    '.log',
    'lock',
  ]) {
    assert.equal(
      names.some((name) => name.endsWith(file)),
      true,
      `${file} in ${names}`,
    );
  }
  for (const [name, mode] of modes) {
    const isFolder = name === '.' || /^journal(\/[^/.]+)?$/.test(name);
    assert.equal(mode.toString(8), isFolder ? '700' : '600', name);
  }
});
