/**
 * Makes written bytes survive a power cut, many writers' at a time: everything asked for while
 * one sync runs shares the next one. Also closes the files that are written no more.
 *
 * Invariants: a request is answered by a sync that began after it; once a file failed to sync,
 * every later request for it fails, because the system may have dropped the bytes meanwhile.
 */
import type { JournalFiles } from './files.ts';

interface Request {
  readonly fd: number;
  readonly done: (error: unknown) => void;
}

export class GroupSync {
  readonly #files: JournalFiles;
  readonly #directory: string;
  #waiting: Request[] = [];
  #running: Promise<void> | null = null;
  #directoryChanged = true;
  readonly #failed = new Map<number, unknown>();

  constructor(files: JournalFiles, directory: string) {
    this.#files = files;
    this.#directory = directory;
  }

  /** The next sync also covers the directory's names. */
  directoryChanged(): void {
    this.#directoryChanged = true;
  }

  /** Calls `done` with null, or with what the disk said. */
  request(fd: number, done: (error: unknown) => void): void {
    this.#waiting.push({ fd, done });
    this.#running ??= this.#run();
  }

  /** Syncs and closes a file; failures change nothing, because nobody waits for them. */
  retire(fd: number): void {
    this.request(fd, () => {
      closeQuietly(this.#files, fd);
      this.#failed.delete(fd); // the number may stand for another file from now on
    });
  }

  /** Resolves when everything asked for before is answered. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const group = this.#waiting;
      this.#waiting = [];
      await this.#syncAll(new Set(group.map(({ fd }) => fd)));
      for (const { fd, done } of group) done(this.#failed.get(fd) ?? null);
    }
    this.#running = null;
  }

  async #syncAll(fds: ReadonlySet<number>): Promise<void> {
    const syncs = [...fds].map(async (fd) => {
      try {
        await this.#files.sync(fd);
      } catch (error) {
        this.#failed.set(fd, error);
      }
    });
    await Promise.all([...syncs, this.#syncDirectory(fds)]);
  }

  async #syncDirectory(fds: ReadonlySet<number>): Promise<void> {
    if (!this.#directoryChanged) return;
    this.#directoryChanged = false;
    try {
      await this.#files.syncDirectory(this.#directory);
    } catch (error) {
      this.#directoryChanged = true;
      for (const fd of fds) this.#failed.set(fd, error);
    }
  }
}

/** Closes a file whose bytes are safe or given up; one that is closed already stays so. */
export function closeQuietly(files: JournalFiles, fd: number): void {
  try {
    files.close(fd);
  } catch {
    // Closed before, by whoever broke it.
  }
}
