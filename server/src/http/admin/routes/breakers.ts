/**
 * The circuit breakers of all workers: how each stands, and closing them by hand. Reading changes
 * nothing. A name with a slash is written with `%2F`, one segment of the path.
 */
import { type Breaker, breakerListSchema, breakerSchema, errorSchema } from '@esclusa/contracts';
import { GatewayError } from '../../../gateway/index.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

type Named = { readonly Params: { readonly name: string } };

const tags = ['gateway'];

export function breakerRoutes(app: AdminApp, { breakers }: AdminServices): void {
  const listOf = (data: readonly Breaker[]) => ({ data: [...data], next: null });

  app.get(
    '/api/v1/circuit-breakers',
    {
      config: { access: 'breakers.read' },
      schema: {
        tags,
        summary: 'List circuit breakers; reading changes nothing',
        response: { 200: breakerListSchema, default: errorSchema },
      },
    },
    async () => listOf(await breakers.list()),
  );

  app.get<Named>(
    '/api/v1/circuit-breakers/:name',
    {
      config: { access: 'breakers.read' },
      schema: {
        tags,
        summary: 'Read a circuit breaker; write the `/` of its name as `%2F`',
        response: { 200: breakerSchema, default: errorSchema },
      },
    },
    async ({ params }) => breakerNamed(await breakers.list(), params.name),
  );

  app.post<Named>(
    '/api/v1/circuit-breakers/:name/reset',
    {
      config: { access: 'breakers.reset', audit: 'breakers.reset' },
      schema: {
        tags,
        summary: 'Close a circuit breaker; write the `/` of its name as `%2F`',
        response: { 200: breakerSchema, default: errorSchema },
      },
    },
    async ({ params }) => breakerNamed(await breakers.reset(params.name), params.name),
  );

  app.post(
    '/api/v1/circuit-breakers/reset',
    {
      config: { access: 'breakers.reset', audit: 'breakers.reset' },
      schema: {
        tags,
        summary: 'Close every circuit breaker',
        response: { 200: breakerListSchema, default: errorSchema },
      },
    },
    async () => listOf(await breakers.reset(null)),
  );
}

function breakerNamed(breakers: readonly Breaker[], name: string): Breaker {
  const found = breakers.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new GatewayError('not_found', { message: 'There is no circuit breaker of this name.' });
}
