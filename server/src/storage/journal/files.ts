/**
 * The few file operations the journal is made of, so that a test can put a full or broken disk
 * in their place. All of them throw what `node:fs` throws.
 */
import {
  closeSync,
  fdatasync,
  fsync,
  ftruncateSync,
  open,
  openSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';

export interface JournalFiles {
  /** Makes a file that must not exist yet, for appending. */
  create(path: string): number;
  /** Returns how many bytes were written, which may be fewer. */
  write(fd: number, bytes: Buffer, offset: number, length: number): number;
  truncate(fd: number, bytes: number): void;
  /** Resolves when the file's bytes would survive a power cut. */
  sync(fd: number): Promise<void>;
  /** The same for the names in a directory. */
  syncDirectory(path: string): Promise<void>;
  close(fd: number): void;
  remove(path: string): void;
}

const syncData = promisify(fdatasync);
const syncAll = promisify(fsync);
const openFile = promisify(open);

export const systemFiles: JournalFiles = {
  create: (path) => openSync(path, 'ax', 0o600),
  write: (fd, bytes, offset, length) => writeSync(fd, bytes, offset, length),
  truncate: (fd, bytes) => ftruncateSync(fd, bytes),
  sync: (fd) => syncData(fd),
  async syncDirectory(path) {
    if (process.platform === 'win32') return; // a directory cannot be opened there
    const fd = await openFile(path, 'r');
    try {
      await syncAll(fd);
    } finally {
      closeSync(fd);
    }
  },
  close: (fd) => closeSync(fd),
  remove: (path) => unlinkSync(path),
};
