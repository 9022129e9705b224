/**
 * The word of a database on whose home it is. Who changes rows of a tenant asks in the same
 * transaction, and holds the answer until its end: who closes a home has then waited for
 * everybody who was let in, and nobody comes after.
 */
import type { Transaction } from 'kysely';
import { GatewayError } from '../../gateway/model/errors.ts';
import type { Engine } from '../engine.ts';
import type { Schema } from '../schema.ts';

type Locking = Pick<Engine, 'locksRows'>;

const MOVING_RETRY_MS = 2000;

/** Of these tenants, those whose rows may be changed here, until the transaction ends. */
export async function openHomes(
  { locksRows }: Locking,
  transaction: Transaction<Schema>,
  tenants: readonly string[],
): Promise<ReadonlySet<string>> {
  if (tenants.length === 0) return new Set();
  let query = transaction
    .selectFrom('data_homes')
    .select('tenant')
    .where('tenant', 'in', [...new Set(tenants)])
    .where('state', '=', 'open');
  if (locksRows) query = query.forShare();
  return new Set((await query.execute()).map(({ tenant }) => tenant));
}

/**
 * Throws `conflict` where the tenant is at home here by now: whoever was about to make this its
 * home was too slow, and another has finished that. Holds the answer as `openHomes` does.
 */
export async function requireNoHome(
  { locksRows }: Locking,
  transaction: Transaction<Schema>,
  tenant: string,
): Promise<void> {
  let query = transaction.selectFrom('data_homes').select('state').where('tenant', '=', tenant);
  if (locksRows) query = query.forShare();
  const home = await query.executeTakeFirst();
  if (home?.state !== 'open') return;
  throw new GatewayError('conflict', {
    message: 'This database is the home of the tenant by now; nothing is copied or cleared there.',
  });
}

/** Throws `tenant_moving` where its rows are not to be changed here. */
export async function requireHome(
  engine: Locking,
  transaction: Transaction<Schema>,
  tenant: string,
): Promise<void> {
  const open = await openHomes(engine, transaction, [tenant]);
  if (!open.has(tenant)) throw new GatewayError('tenant_moving', { retryAfterMs: MOVING_RETRY_MS });
}
