/**
 * `/api/v1/auth`: register, sign in, refresh, sign out, one's own profile and password; and the
 * public keys that tokens are checked with elsewhere.
 */
import {
  changePasswordSchema,
  errorSchema,
  jwksSchema,
  loginSchema,
  openSessionListSchema,
  profileSchema,
  refreshSchema,
  registeredSchema,
  registerSchema,
  sessionSchema,
} from '@esclusa/contracts';
import { z } from 'zod';
import type { Principal } from '../../../gateway/index.ts';
import { PERMISSIONS, reachOf, type UserRecord } from '../../../identity/index.ts';
import { budgetToWire, limitsToWire } from '../../shapes/index.ts';
import { openSessionsToWire, sessionToWire } from '../../shapes/people.ts';
import { callerOf, originOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['identity'];
const nothing = z.null().describe('Nothing.');

export function authRoutes(app: AdminApp, services: AdminServices): void {
  registrationRoute(app, services);
  sessionRoutes(app, services);
  openSessionRoutes(app, services);
  ownRoutes(app, services);
  keysRoute(app, services);
}

function registrationRoute(app: AdminApp, services: AdminServices): void {
  app.post(
    '/api/v1/auth/register',
    {
      config: { access: 'public', audit: 'own' },
      schema: {
        tags,
        summary: 'Register; in production with an invitation. A taken address reads the same',
        body: registerSchema,
        response: { 201: registeredSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      await services.register(request.body, originOf(services, request));
      reply.code(201);
      const { email, username } = request.body;
      return { email, username, status: 'registered' as const };
    },
  );
}

function sessionRoutes(app: AdminApp, services: AdminServices): void {
  const { signIn } = services;
  app.post(
    '/api/v1/auth/login',
    {
      config: { access: 'public', audit: 'own' },
      schema: {
        tags,
        summary: 'Sign in with an address or a name and the password',
        body: loginSchema,
        response: { 200: sessionSchema, default: errorSchema },
      },
    },
    async (request) => sessionToWire(await signIn.login(request.body, originOf(services, request))),
  );

  app.post(
    '/api/v1/auth/refresh',
    {
      config: { access: 'public', audit: 'own' },
      schema: {
        tags,
        summary: 'Exchange a refresh token, once; one that was used ends the whole session',
        body: refreshSchema,
        response: { 200: sessionSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { refresh_token: token } = request.body;
      const session = await signIn.refresh(token, originOf(services, request));
      reply.raw.once('close', () => {
        if (!reply.raw.writableFinished) session.lost();
      });
      return sessionToWire(session);
    },
  );

  app.post(
    '/api/v1/auth/logout',
    {
      config: { access: 'token', audit: 'own' },
      schema: {
        tags,
        summary: 'End the session of this token; all of its tokens end with it',
        response: { 200: nothing, default: errorSchema },
      },
    },
    async (request, reply) => {
      await signIn.logout(callerOf(request), originOf(services, request));
      return reply.code(200).send(null);
    },
  );
}

function openSessionRoutes(app: AdminApp, services: AdminServices): void {
  const { signIn } = services;
  app.get(
    '/api/v1/auth/sessions',
    {
      config: { access: 'profile.write' },
      schema: {
        tags,
        summary: 'List one’s own sessions, newest first; at most 50 are open at once',
        response: { 200: openSessionListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      return openSessionsToWire(await signIn.sessions(caller), caller.familyId);
    },
  );

  app.post(
    '/api/v1/auth/logout-all',
    {
      config: { access: 'profile.write', audit: 'own' },
      schema: {
        tags,
        summary: 'End all of one’s sessions, this one too',
        response: { 200: nothing, default: errorSchema },
      },
    },
    async (request, reply) => {
      await signIn.logoutAll(callerOf(request), originOf(services, request));
      return reply.code(200).send(null);
    },
  );
}

function ownRoutes(app: AdminApp, services: AdminServices): void {
  const { signIn } = services;
  app.get(
    '/api/v1/auth/me',
    {
      config: { access: 'profile.read' },
      schema: {
        tags,
        summary: 'Read who calls, and what they may do',
        response: { 200: profileSchema, default: errorSchema },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      return profileToWire(caller, await signIn.me(caller));
    },
  );

  app.post(
    '/api/v1/auth/change-password',
    {
      config: { access: 'profile.write', audit: 'own' },
      schema: {
        tags,
        summary: 'Change one’s password; every session ends, this one too',
        body: changePasswordSchema,
        response: { 200: nothing, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { current_password: current, new_password: next } = request.body;
      const origin = originOf(services, request);
      await signIn.changePassword(callerOf(request), { current, next }, origin);
      return reply.code(200).send(null);
    },
  );
}

function keysRoute(app: AdminApp, { tokens }: AdminServices): void {
  app.get(
    '/.well-known/jwks.json',
    {
      config: { access: 'public' },
      schema: {
        tags,
        summary: 'Read the public keys of access tokens; none where a shared secret signs them',
        response: { 200: jwksSchema, default: errorSchema },
      },
    },
    async () => ({ keys: [...(await tokens.publicKeys()).keys] }),
  );
}

function profileToWire(caller: Principal, user: UserRecord | null) {
  return {
    kind: caller.kind,
    id: caller.keyId,
    name: caller.name,
    email: user?.email ?? null,
    tenant: caller.tenant,
    roles: [...caller.roles],
    permissions: PERMISSIONS.filter((permission) => reachOf(caller, permission) !== null),
    models: caller.models === null ? null : [...caller.models],
    limits: limitsToWire(caller.limits),
    budget: caller.budget === null ? null : budgetToWire(caller.budget),
  };
}
