/**
 * The root of the address, which the start prints: people are led to the reference, programs
 * are told the paths to go on from. Public, so it says nothing of this installation.
 */
import { type Home, homeSchema } from '@esclusa/contracts';
import type { AdminApp } from '../instance.ts';

const HOME: Home = {
  name: 'Esclusa',
  docs: '/docs',
  openapi: '/openapi.json',
  ready: '/health/ready',
};

export function homeRoutes(app: AdminApp): void {
  app.get(
    '/',
    {
      config: { access: 'public' },
      schema: {
        tags: ['operations'],
        summary: 'Where to go on; a browser is led to the reference',
        response: { 200: homeSchema },
      },
    },
    async (request, reply) => {
      reply.header('vary', 'accept');
      const isPage = String(request.headers.accept ?? '').includes('text/html');
      return isPage ? reply.redirect(HOME.docs) : HOME;
    },
  );
}
