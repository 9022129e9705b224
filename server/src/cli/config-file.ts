/**
 * Whether there is a configuration file, or only environment and defaults.
 */
import { access } from 'node:fs/promises';

/** The path, or null where there is no such file. */
export async function existingFile(path: string): Promise<string | null> {
  return access(path).then(
    () => path,
    () => null,
  );
}
