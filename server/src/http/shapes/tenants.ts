/**
 * Tenants in the shapes of the control plane. Sealed credentials never get past here.
 */
import type { DatabaseTest, Tenant } from '@esclusa/contracts';
import { GatewayError } from '../../gateway/index.ts';
import type { DataPlace, PlaceReport, TenantJob, TenantRecord } from '../../tenancy/index.ts';
import { budgetToWire, limitsToWire, timestamp } from './index.ts';

export function tenantToWire(record: TenantRecord): Tenant {
  const { suspendedAtMs } = record;
  return {
    id: record.id,
    slug: record.slug,
    name: record.name,
    status: statusOf(record),
    hosts: [...record.hosts],
    created_at: timestamp(record.createdAtMs),
    suspended_at: suspendedAtMs === null ? null : timestamp(suspendedAtMs),
    limits: limitsToWire(record.limits),
    budget: record.budget === null ? null : budgetToWire(record.budget),
    models: Object.fromEntries(
      Object.entries(record.models).map(([model, { limits, budget }]) => [
        model,
        { limits: limitsToWire(limits), budget: budget === null ? null : budgetToWire(budget) },
      ]),
    ),
    database: placeToWire(record.place),
    job: record.job === null ? null : jobToWire(record.job),
  };
}

/** What is in the way of a database is an answer, not a failure. */
export async function testToWire(test: () => Promise<PlaceReport>): Promise<DatabaseTest> {
  try {
    const { latencyMs, version, isPrepared } = await test();
    return { healthy: true, error: null, latency_ms: latencyMs, version, prepared: isPrepared };
  } catch (error) {
    if (!(error instanceof GatewayError && error.code === 'storage_unavailable')) throw error;
    const nothing = { latency_ms: null, version: null, prepared: null };
    return { healthy: false, error: error.message, ...nothing };
  }
}

function statusOf({ suspendedAtMs, erasedAtMs }: TenantRecord): Tenant['status'] {
  if (erasedAtMs !== null) return 'erased';
  return suspendedAtMs === null ? 'active' : 'suspended';
}

function placeToWire(place: DataPlace | null): Tenant['database'] {
  if (place === null) return { kind: 'shared' };
  if (place.kind === 'file') return { kind: 'file' };
  const { host, port, database, ssl } = place;
  return { kind: 'postgres', host, port, database, ssl };
}

function jobToWire(job: TenantJob): NonNullable<Tenant['job']> {
  const { id, kind, step, error, startedAtMs, endedAtMs } = job;
  const outcome = step === 'failed' ? 'failed' : 'done';
  return {
    ...{ id, kind, step, error },
    status: endedAtMs === null ? 'running' : outcome,
    ...(job.kind === 'move' ? { rows: job.rows } : { removed: { ...job.removed } }),
    started_at: timestamp(startedAtMs),
    ended_at: endedAtMs === null ? null : timestamp(endedAtMs),
  };
}
