/**
 * Background jobs as the control plane and the command line tell them.
 */
import type { JobBody } from '@esclusa/contracts';
import type { JobRecord } from '../../operations/index.ts';
import { timestamp } from './index.ts';

/** The payload stays inside: it is the program's own. */
export function jobToWire(job: JobRecord): JobBody {
  return {
    ...{ id: job.id, kind: job.kind, key: job.key, state: job.state, owner: job.owner },
    ...{ attempts: job.attempts, attempts_max: job.attemptsMax, last_error: job.lastError },
    run_at: timestamp(job.runAtMs),
    created_at: timestamp(job.createdAtMs),
    lease_until: job.leaseUntilMs === null ? null : timestamp(job.leaseUntilMs),
    ended_at: job.endedAtMs === null ? null : timestamp(job.endedAtMs),
  };
}
