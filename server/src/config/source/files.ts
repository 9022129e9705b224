/**
 * Files as the configuration needs them, injected so that tests can swap them. Links are
 * followed: what counts is the file they lead to now.
 */
import { readFile, stat } from 'node:fs/promises';

/** Tells two states of a file apart without reading it. */
export interface FileStamp {
  readonly modifiedMs: number;
  /** Changes with the file behind a link, with its size, and with each write. */
  readonly identity: string;
}

export interface FileAccess {
  /** The text, or null where there is no such file; rejects when it cannot be read. */
  read(path: string): Promise<string | null>;
  stamp(path: string): Promise<FileStamp | null>;
}

export const systemFiles: FileAccess = {
  read: (path) => orNull(() => readFile(path, 'utf8')),
  stamp: (path) =>
    orNull(async () => {
      const { ino, size, mtimeNs, ctimeNs, mtimeMs } = await stat(path, { bigint: true });
      return { modifiedMs: Number(mtimeMs), identity: `${ino}/${size}/${mtimeNs}/${ctimeNs}` };
    }),
};

async function orNull<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw error;
  }
}
