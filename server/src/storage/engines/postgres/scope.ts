/**
 * Whose rows a transaction sees. The row-level policies of the tables compare with a setting
 * that lives as long as the transaction; without it they show no row at all.
 */
import pg from 'pg';
import type { TenantScope } from '../../engine.ts';
import type { SessionLimits } from './client.ts';
import { storable } from './text.ts';

/** Not a slug: stands for all tenants. */
const EVERY_TENANT = '*';

/**
 * One message for the beginning of a transaction and its scope. What is written is on the
 * server's disk when the commit is answered, whatever the server was told to do by default: we
 * forget a journal, and tell callers, on the strength of that answer.
 */
export function beginning(
  tenant: TenantScope,
  mode: 'read only' | 'read write',
  /** Where a session cannot be told. */
  limits: SessionLimits | null = null,
): string {
  const value = pg.escapeLiteral(tenant === null ? EVERY_TENANT : oneTenant(tenant));
  const durable = mode === 'read write' ? 'set local synchronous_commit = on; ' : '';
  const before = `begin ${mode}; ${durable}${bounds(limits)}`;
  return `${before}select set_config('esclusa.tenant', ${value}, true)`;
}

function bounds(limits: SessionLimits | null): string {
  if (limits === null) return '';
  const { statementMs, lockMs } = limits;
  return `set local statement_timeout = ${statementMs}; set local lock_timeout = ${lockMs}; `;
}

/** A tenant that somebody named like the mark of all is nobody. */
function oneTenant(slug: string): string {
  return slug === EVERY_TENANT ? '' : storable(slug);
}
