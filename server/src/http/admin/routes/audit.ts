/**
 * `/api/v1/audit`: who did what, newest first; of one's own tenant, or of all of them.
 */
import { auditListSchema, auditQuerySchema, errorSchema } from '@esclusa/contracts';
import { confineTenant } from '../../../identity/index.ts';
import { auditToWire } from '../../shapes/people.ts';
import { callerOf } from '../access.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

export function auditLogRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  app.get(
    '/api/v1/audit',
    {
      config: { access: 'audit.read' },
      schema: {
        tags: ['identity'],
        summary: 'List events of the audit log, newest first',
        querystring: auditQuerySchema,
        response: { 200: auditListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, tenant: asked } = request.query;
      const tenant = confineTenant(callerOf(request), 'audit.read', asked);
      const scope = ['audit', tenant];
      const position = cursors.read(scope, cursor);
      const before = position === null ? null : Number(position);
      const rows = await services.auditEntries.list({ tenant, limit: limit + 1, before });
      return pageOf(rows, limit, auditToWire, (last) => cursors.sign(scope, String(last.sequence)));
    },
  );
}
