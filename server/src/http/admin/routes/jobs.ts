/**
 * `/api/v1/jobs`: what the installation does in the background, and what it gave up.
 */
import { errorSchema, type JobBody, jobListQuerySchema, jobListSchema } from '@esclusa/contracts';
import type { JobRecord } from '../../../operations/index.ts';
import { timestamp } from '../../shapes/index.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

export function jobRoutes(app: AdminApp, { jobs }: AdminServices, cursors: Cursors): void {
  app.get(
    '/api/v1/jobs',
    {
      config: { access: 'jobs.read' },
      schema: {
        tags: ['operations'],
        summary: 'List background jobs that are not over, and those given up, newest first',
        querystring: jobListQuerySchema,
        response: { 200: jobListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, state = null } = request.query;
      const scope = ['jobs', state];
      const beforeId = cursors.read(scope, cursor);
      const rows = await jobs.list({ state, limit: limit + 1, beforeId });
      return pageOf(rows, limit, jobToWire, (last) => cursors.sign(scope, last.id));
    },
  );
}

/** The payload stays inside: it is the program's own. */
function jobToWire(job: JobRecord): JobBody {
  return {
    ...{ id: job.id, kind: job.kind, key: job.key, state: job.state, owner: job.owner },
    ...{ attempts: job.attempts, attempts_max: job.attemptsMax, last_error: job.lastError },
    run_at: timestamp(job.runAtMs),
    created_at: timestamp(job.createdAtMs),
    lease_until: job.leaseUntilMs === null ? null : timestamp(job.leaseUntilMs),
    ended_at: job.endedAtMs === null ? null : timestamp(job.endedAtMs),
  };
}
