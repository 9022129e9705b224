/**
 * `/api/v1/auth/oidc`: away to the issuer, and back. What the browser must bring back lies in a
 * cookie that only these two paths see.
 */
import { errorSchema, sessionSchema } from '@esclusa/contracts';
import { z } from 'zod';
import { GatewayError } from '../../../gateway/index.ts';
import type { SingleSignOn } from '../../../identity/index.ts';
import { sessionToWire } from '../../shapes/people.ts';
import { originOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['identity'];
const PATH = '/api/v1/auth/oidc';
const COOKIE = 'esclusa_sign_in';
const MS_PER_SECOND = 1000;

export function singleSignOnRoutes(app: AdminApp, services: AdminServices): void {
  app.get(
    `${PATH}/login`,
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Sign in with OpenID Connect: leads to the issuer',
        response: { 302: z.null(), default: errorSchema },
      },
    },
    async (_request, reply) => {
      const { url, carried, lifeMs } = await required(services).begin();
      reply.header('set-cookie', cookie(services, carried, lifeMs / MS_PER_SECOND));
      return reply.redirect(url);
    },
  );

  app.get(
    `${PATH}/callback`,
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Where the issuer leads back to: ends with a session, as a sign-in does',
        response: { 200: sessionSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { url = '' } = request.raw;
      const search = url.includes('?') ? url.slice(url.indexOf('?')) : '';
      const carried = readCookie(request.headers.cookie);
      reply.header('set-cookie', cookie(services, '', 0));
      const origin = originOf(services, request);
      return sessionToWire(await required(services).finish(search, carried, origin));
    },
  );
}

function required({ singleSignOn }: AdminServices): SingleSignOn {
  if (singleSignOn !== null) return singleSignOn;
  throw new GatewayError('not_found', { message: 'Single sign-on is not configured here.' });
}

function cookie({ isSecure }: AdminServices, value: string, seconds: number): string {
  const secure = isSecure ? '; Secure' : '';
  return `${COOKIE}=${value}; Path=${PATH}; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure}`;
}

function readCookie(header: string | undefined): string | null {
  for (const pair of (header ?? '').split(';')) {
    const [name, value] = pair.trim().split('=');
    if (name === COOKIE && value !== undefined && value !== '') return value;
  }
  return null;
}
