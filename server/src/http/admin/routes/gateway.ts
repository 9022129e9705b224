/**
 * What the gateway offers: models and providers.
 */
import { errorSchema, modelListSchema, providerListSchema } from '@esclusa/contracts';
import { listedFor } from '../../listed-models.ts';
import { timestamp } from '../../shapes/index.ts';
import { callerOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

export function gatewayRoutes(app: AdminApp, services: AdminServices): void {
  app.get(
    '/api/v1/models',
    {
      config: { access: 'models.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List the models the calling key may ask for',
        response: { 200: modelListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const data = listedFor(callerOf(request), services.routes()).map((listing) => ({
        id: listing.name,
        owned_by: listing.ownedBy,
        operations: [...listing.operations],
        created_at: timestamp(listing.createdSeconds * 1000),
      }));
      return { data, next: null };
    },
  );

  app.get(
    '/api/v1/providers',
    {
      config: { access: 'providers.read' },
      schema: {
        tags: ['gateway'],
        summary: 'List the configured providers',
        response: { 200: providerListSchema, default: errorSchema },
      },
    },
    async () => ({ data: [...services.providers()], next: null }),
  );
}
