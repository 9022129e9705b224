/**
 * Configurations without a disk: files held in a map, environments as plain objects, and the
 * catalogue that ships with the product.
 */
import {
  type Catalogue,
  ConfigError,
  type Environment,
  type FileAccess,
  type Loaded,
  load,
  loadCatalogue,
  systemFiles,
} from '../../src/config/index.ts';

export const CONFIG_FILE = 'esclusa.yaml';
const NOW_MS = Date.parse('2026-11-20');

export interface MemoryFiles extends FileAccess {
  /** null removes the file. Every write gives it another stamp. */
  write(path: string, text: string | null, modifiedMs?: number): void;
}

export function createMemoryFiles(texts: Readonly<Record<string, string>> = {}): MemoryFiles {
  const files = new Map<string, { text: string; modifiedMs: number; version: number }>();
  let version = 0;
  const write = (path: string, text: string | null, modifiedMs = 0): void => {
    version += 1;
    if (text === null) files.delete(path);
    else files.set(path, { text, modifiedMs, version });
  };
  for (const [path, text] of Object.entries(texts)) write(path, text);
  return {
    write,
    read: async (path) => files.get(path)?.text ?? null,
    async stamp(path) {
      const file = files.get(path);
      return file === undefined
        ? null
        : { modifiedMs: file.modifiedMs, identity: String(file.version) };
    },
  };
}

export function testCatalogue(): Promise<Catalogue> {
  return loadCatalogue(systemFiles);
}

/** Loads a configuration from the text of its file (null: there is none) and variables. */
export async function loadText(text: string | null, env: Environment = {}): Promise<Loaded> {
  const files = createMemoryFiles(text === null ? {} : { [CONFIG_FILE]: text });
  return load({ env, files, catalogue: await testCatalogue(), nowMs: NOW_MS });
}

/** The problems as a person reads them, one per line; fails where there are none. */
export async function problemsOf(
  text: string | null,
  env: Environment = {},
): Promise<readonly string[]> {
  try {
    await loadText(text, env);
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    return thrown.message
      .split('\n')
      .slice(1)
      .map((line) => line.trim());
  }
  throw new Error('the configuration was accepted');
}
