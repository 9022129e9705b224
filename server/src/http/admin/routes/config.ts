/**
 * `/api/v1/config`: the configuration in force, secrets masked, and reading it again.
 */
import { configReloadSchema, configStateSchema, errorSchema } from '@esclusa/contracts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['configuration'];

export function configRoutes(app: AdminApp, services: AdminServices): void {
  app.get(
    '/api/v1/config',
    {
      config: { access: 'config.read' },
      schema: {
        tags,
        summary: 'Read the configuration in force and what the last reload changed',
        response: { 200: configStateSchema, default: errorSchema },
      },
    },
    async () => services.config.state(),
  );

  app.post(
    '/api/v1/config/reload',
    {
      config: { access: 'config.reload', audit: 'config.reload' },
      schema: {
        tags,
        summary: 'Read the configuration file again; a bad one changes nothing and says why',
        response: { 200: configReloadSchema, default: errorSchema },
      },
    },
    async () => services.config.reload(),
  );
}
