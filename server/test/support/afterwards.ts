/**
 * What a test begins ends with it, what was begun last first: a folder goes after the storage in
 * it is closed.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whose end it is: a test's, or a whole file's. */
export interface Owner {
  after(hook: () => Promise<void>): void;
}

const undoing = new WeakMap<Owner, (() => unknown)[]>();

/** Runs what was begun last first. */
export function afterwards(owner: Owner, undo: () => unknown): void {
  const known = undoing.get(owner);
  if (known !== undefined) {
    known.push(undo);
    return;
  }
  const stack = [undo];
  undoing.set(owner, stack);
  owner.after(async () => {
    for (const each of stack.reverse()) await each();
  });
}

/** An empty folder, for as long as its owner lives. */
export function temporaryFolder(owner: Owner): string {
  const folder = mkdtempSync(join(tmpdir(), 'esclusa-test-'));
  afterwards(owner, () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
