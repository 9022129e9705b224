/**
 * The key that a first start makes, so that there is something to call the gateway with.
 */
import type { KeyUseCases } from './keys.ts';
import type { KeyRecord } from './ports/key-repository.ts';
import { operator } from './superadmin.ts';

/** Creates an admin's key in the default tenant where no key exists yet; null where one does. */
export async function createFirstKey(
  keys: Pick<KeyUseCases, 'list' | 'create'>,
): Promise<{ readonly record: KeyRecord; readonly secret: string } | null> {
  const existing = await keys.list(operator, { limit: 1, beforeId: null });
  if (existing.length > 0) return null;
  return keys.create(operator, { name: 'First key', role: 'admin' });
}
