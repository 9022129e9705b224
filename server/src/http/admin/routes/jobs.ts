/**
 * `/api/v1/jobs`: what the installation does in the background, and what it gave up, to be tried
 * again or taken away.
 */
import {
  errorSchema,
  type JobBody,
  jobListQuerySchema,
  jobListSchema,
  jobSchema,
} from '@esclusa/contracts';
import type { JobRecord } from '../../../operations/index.ts';
import { jobToWire } from '../../shapes/jobs.ts';
import { notFound } from '../access.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import { type IdParams, isPlausibleId } from '../ids.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['operations'];

export function jobRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  const { jobs } = services;
  deadRoutes(app, services);
  app.get(
    '/api/v1/jobs',
    {
      config: { access: 'jobs.read' },
      schema: {
        tags,
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

function deadRoutes(app: AdminApp, { jobs, clock }: AdminServices): void {
  const response = { 200: jobSchema, default: errorSchema };

  app.post<IdParams>(
    '/api/v1/jobs/:id/retry',
    {
      config: { access: 'jobs.write', audit: 'jobs.retry' },
      schema: { tags, summary: 'Let a job that was given up be tried again, now', response },
    },
    async ({ params: { id } }) => shown(isPlausibleId(id) && jobs.retry(id, clock.wallMs())),
  );

  app.delete<IdParams>(
    '/api/v1/jobs/:id',
    {
      config: { access: 'jobs.write', audit: 'jobs.remove' },
      schema: { tags, summary: 'Take away a job that was given up', response },
    },
    async ({ params: { id } }) => shown(isPlausibleId(id) && jobs.remove(id)),
  );
}

async function shown(found: false | Promise<JobRecord | null>): Promise<JobBody> {
  const job = await found;
  if (job === false || job === null) throw notFound('job');
  return jobToWire(job);
}
