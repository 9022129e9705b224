/**
 * Taking away what the main database holds of a tenant. Keys and people are first made nobody,
 * under versions that every process hears of, and deleted later.
 */
import { sql } from 'kysely';
import type { TenantEraser } from '../../tenancy/ports/tenant-eraser.ts';
import type { LedgerEngine } from '../ledger-engine.ts';
import { LEDGER_BEGIN, type LedgerPlace } from '../ledger-erasing.ts';
import { nextVersion } from './change-version.ts';
import { tombstone } from './user-row.ts';

const AT_ONCE = 500;

export function createTenantEraser(
  engine: LedgerEngine,
  settle: () => Promise<void>,
): TenantEraser {
  return {
    async scrub(slug, nowMs) {
      await scrubKeys(engine, slug, nowMs);
      await scrubUsers(engine, slug, nowMs);
    },

    remove(slug) {
      return engine.transact(null, async (transaction) => {
        const own = sql`(select id from users where tenant = ${slug})`;
        const counted = async (statement: ReturnType<typeof sql>): Promise<number> =>
          Number((await statement.execute(transaction)).numAffectedRows ?? 0n);
        return {
          sessions: await counted(sql`delete from refresh_families where user_id in ${own}`),
          users: await counted(sql`delete from users where tenant = ${slug}`),
          invitations: await counted(sql`delete from invitations where tenant = ${slug}`),
          keys: await counted(sql`delete from api_keys where tenant = ${slug}`),
          hosts: await counted(sql`delete from tenant_hosts where tenant = ${slug}`),
        };
      });
    },

    settle: () => engine.scrub(),

    async ledger(slug, how, signal) {
      await settle();
      await engine.eraseLedgerNames(slug, how);
      let rows = 0;
      for (let after: LedgerPlace | null = LEDGER_BEGIN; after !== null; ) {
        signal.throwIfAborted();
        const some = await engine.eraseLedgerRows(slug, how, after, AT_ONCE);
        rows += some.rows;
        after = some.next;
      }
      await engine.eraseLedgerNames(slug, how); // of rows that came meanwhile
      return rows;
    },
  };
}

async function scrubKeys(engine: LedgerEngine, slug: string, nowMs: number): Promise<void> {
  await engine.transact(null, async (transaction) => {
    const version = await nextVersion(transaction, 'api_keys');
    await transaction
      .updateTable('api_keys')
      .set((row) => ({
        ...{ name: '', hint: '', secret_hash: sql<string>`'erased ' || id` },
        ...{ previous_hash: null, previous_until_ms: null, scopes: null, addresses: null },
        revoked_at_ms: row.fn.coalesce('revoked_at_ms', sql<number>`${nowMs}`),
        version,
      }))
      .where('tenant', '=', slug)
      .execute();
  });
}

async function scrubUsers(engine: LedgerEngine, slug: string, nowMs: number): Promise<void> {
  for (;;) {
    const living = await engine.read<{ id: string }>(
      null,
      'select id from users where tenant = ? and removed_at_ms is null limit ?',
      [slug, AT_ONCE],
    );
    await engine.transact(null, async (transaction) => {
      const version = await nextVersion(transaction, 'users');
      for (const { id } of living) {
        await transaction
          .updateTable('users')
          .set({ ...tombstone(id, nowMs), version })
          .where('id', '=', id)
          .execute();
      }
    });
    if (living.length < AT_ONCE) return;
  }
}
