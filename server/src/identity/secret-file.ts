/**
 * The master secret's file on a real disk: mode 0600, created in one step by linking a
 * complete temporary file to its name, so that no process ever reads half of it.
 */
import { linkSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { SecretFile } from './master-secret.ts';

const OWNER_ONLY_FILE = 0o600;
const OWNER_ONLY_FOLDER = 0o700;
const PERMISSION_BITS = 0o777;

/** Opens nothing yet; `dataDir` is created with the file. */
export function createSecretFile(dataDir: string): SecretFile {
  const path = join(dataDir, 'secrets.json');
  return {
    path,
    read() {
      try {
        const text = readFileSync(path, 'utf8');
        // Windows has no such bits: what it reports says nothing.
        const mode = process.platform === 'win32' ? null : statSync(path).mode & PERMISSION_BITS;
        return { text, mode };
      } catch (error) {
        if (hasCode(error, 'ENOENT')) return null;
        throw error;
      }
    },
    create(text) {
      mkdirSync(dirname(path), { recursive: true, mode: OWNER_ONLY_FOLDER });
      const draft = `${path}.${process.pid}.new`;
      writeFileSync(draft, text, { mode: OWNER_ONLY_FILE, flush: true });
      try {
        linkSync(draft, path);
        return true;
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return false;
        throw error;
      } finally {
        rmSync(draft, { force: true });
      }
    },
  };
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
