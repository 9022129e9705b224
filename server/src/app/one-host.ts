/**
 * A SQLite file is of one host. Where another host serves from the same Redis, each would keep
 * keys, budgets and a ledger of its own: a start that finds one living is refused, as far as a
 * Redis that answers can tell.
 */
import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { type Config, ConfigError } from '../config/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import { claimHost } from '../stores/redis/host-claim.ts';
import type { SharedStores } from './redis.ts';

/** The same for all containers of a machine, and another after it was started again. */
const BOOT_ID = '/proc/sys/kernel/random/boot_id';

const WORDS =
  'names a SQLite file, and another host serves from the same Redis: several hosts need a ' +
  'PostgreSQL that they share (postgres://…)';

/** Throws `ConfigError` where another host lives. Answers how to stop saying that this one does. */
export async function requireOneHost(
  shared: SharedStores | null,
  { database }: Config,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<() => void> {
  if (shared === null || database.kind !== 'sqlite') return () => undefined;
  const host = await hostId();
  const lost = () => log.error(`DATABASE_URL ${WORDS}`);
  const claim = await claimHost(shared.state, host, { clock, lost });
  if (claim.holder === null || claim.holder === host) return () => claim.stop();
  const place = { kind: 'environment', name: 'DATABASE_URL' } as const;
  throw new ConfigError([{ place, path: [], message: WORDS }]);
}

async function hostId(): Promise<string> {
  const bootId = await readFile(BOOT_ID, 'latin1').catch(() => hostname());
  return bootId.trim();
}
