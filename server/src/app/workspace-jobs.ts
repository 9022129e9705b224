/**
 * What whoever runs the machine may do with background jobs: in the shapes of the control
 * plane, and written down. A running server finds what is to be tried again by itself.
 */
import type { JobBody } from '@esclusa/contracts';
import { GatewayError } from '../gateway/index.ts';
import { jobToWire } from '../http/shapes/jobs.ts';
import { operator } from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { JobPage, JobRecord } from '../operations/index.ts';
import type { Repositories } from '../storage/index.ts';
import type { Identity } from './identity.ts';
import { byOperator } from './workspace-people.ts';

export type { JobBody as Job } from '@esclusa/contracts';

export interface JobWorkspace {
  /** Newest first. */
  listJobs(page: JobPage): Promise<readonly JobBody[]>;
  /** These throw `not_found`, and `conflict` for a job that was not given up. */
  retryJob(id: string): Promise<JobBody>;
  removeJob(id: string): Promise<JobBody>;
}

export function createJobWorkspace(
  { audit }: Pick<Identity, 'audit'>,
  { jobs }: Pick<Repositories, 'jobs'>,
  clock: Pick<Clock, 'wallMs'>,
): JobWorkspace {
  async function noted(action: string, subject: string, job: JobRecord | null): Promise<JobBody> {
    if (job === null) throw new GatewayError('not_found', { message: 'There is no such job.' });
    await audit.record({ ...byOperator, action, tenant: operator.tenant, subject });
    return jobToWire(job);
  }
  return {
    listJobs: async (page) => (await jobs.list(page)).map(jobToWire),
    retryJob: async (id) => noted('jobs.retry', id, await jobs.retry(id, clock.wallMs())),
    removeJob: async (id) => noted('jobs.remove', id, await jobs.remove(id)),
  };
}
