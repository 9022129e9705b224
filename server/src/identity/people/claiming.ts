/**
 * Giving somebody an address or a name. Both are one person's in the whole installation, since
 * who signs in names no tenant; so an administrator learns that one is taken, also by somebody
 * of another tenant. It is told in the same words, and whoever is confined to a tenant may only
 * find out a few in a minute: too few to go through a list (docs/decisions/0031).
 */
import { GatewayError, type Principal } from '../../gateway/index.ts';
import type { Throttle } from './throttle.ts';

const TAKEN_PER_MINUTE = 10;

/** Throws what `write` throws, and `rate_limited` where too many were taken. */
export async function claiming<T>(
  throttle: Pick<Throttle, 'find'>,
  actor: Principal,
  write: () => Promise<T>,
): Promise<T> {
  if (actor.roles.includes('superadmin')) return write();
  const wasFree = await throttle.find('taken', actor.tenant, TAKEN_PER_MINUTE);
  try {
    const written = await write();
    wasFree();
    return written;
  } catch (error) {
    const isTaken = error instanceof GatewayError && error.code === 'conflict';
    if (!isTaken) wasFree();
    throw error;
  }
}
