/**
 * `/api/v1/users`: make, invite, list, read, change and remove users.
 */
import {
  errorSchema,
  invitationCreatedSchema,
  invitationCreateSchema,
  openSessionListSchema,
  type UserUpdate,
  userCreateSchema,
  userListQuerySchema,
  userListSchema,
  userSchema,
  userUpdateSchema,
} from '@esclusa/contracts';
import type { UserChange } from '../../../identity/index.ts';
import { budgetFromWire, limitsFromWire } from '../../shapes/index.ts';
import {
  invitationToWire,
  openSessionsToWire,
  secretFromWire,
  userToWire,
} from '../../shapes/people.ts';
import { callerOf, notFound } from '../access.ts';
import { audited } from '../audit.ts';
import { type Cursors, pageOf } from '../cursor.ts';
import { type IdParams, isPlausibleId } from '../ids.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['identity'];
const MS_PER_HOUR = 3_600_000;

export function userRoutes(app: AdminApp, services: AdminServices, cursors: Cursors): void {
  creationRoutes(app, services);
  readRoutes(app, services, cursors);
  writeRoutes(app, services);
  sessionRoutes(app, services);
}

function creationRoutes(app: AdminApp, { users, invite }: AdminServices): void {
  app.post(
    '/api/v1/users',
    {
      config: { access: 'users.write', audit: 'users.create' },
      schema: {
        tags,
        summary: 'Create a user, who can sign in at once',
        body: userCreateSchema,
        response: { 201: userSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { email, username, password, password_hash, roles, tenant, ...rest } = request.body;
      const secret = secretFromWire({ password, password_hash });
      const account = { email, username, secret, roles, tenant };
      const record = await users.create(callerOf(request), { ...account, ...grantOf(rest) });
      audited(request, record);
      reply.code(201).header('location', `/api/v1/users/${record.id}`);
      return userToWire(record);
    },
  );

  app.post(
    '/api/v1/users/invitations',
    {
      config: { access: 'users.write', audit: 'users.invite' },
      schema: {
        tags,
        summary: 'Invite somebody to register; the invitation is in this answer and nowhere else',
        body: invitationCreateSchema,
        response: { 201: invitationCreatedSchema, default: errorSchema },
      },
    },
    async (request, reply) => {
      const { email = null, roles, tenant, expires_in_hours: hours } = request.body;
      const wanted = { email, roles, tenant, lifeMs: hours * MS_PER_HOUR };
      const { record, token } = await invite(callerOf(request), wanted);
      audited(request, record);
      reply.code(201);
      return invitationToWire(record, token);
    },
  );
}

function readRoutes(app: AdminApp, { users }: AdminServices, cursors: Cursors): void {
  app.get(
    '/api/v1/users',
    {
      config: { access: 'users.read' },
      schema: {
        tags,
        summary: 'List users, newest first',
        querystring: userListQuerySchema,
        response: { 200: userListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const { limit, cursor, tenant } = request.query;
      const caller = callerOf(request);
      const scope = ['users', caller.tenant, tenant ?? null];
      const beforeId = cursors.read(scope, cursor);
      const rows = await users.list(caller, { tenant, limit: limit + 1, beforeId });
      return pageOf(rows, limit, userToWire, (last) => cursors.sign(scope, last.id));
    },
  );

  app.get<IdParams>(
    '/api/v1/users/:id',
    {
      config: { access: 'users.read' },
      schema: {
        tags,
        summary: 'Read a user',
        response: { 200: userSchema, default: errorSchema },
      },
    },
    async (request) => userToWire(await users.get(callerOf(request), requireId(request.params.id))),
  );
}

function writeRoutes(app: AdminApp, { users }: AdminServices): void {
  app.patch<IdParams & { Body: UserUpdate }>(
    '/api/v1/users/:id',
    {
      config: { access: 'users.write', audit: 'users.update' },
      schema: {
        tags,
        summary: 'Change a user; what is left out stays. Closing one ends every session',
        body: userUpdateSchema,
        response: { 200: userSchema, default: errorSchema },
      },
    },
    async (request) => {
      const id = requireId(request.params.id);
      const record = await users.update(callerOf(request), id, changeOf(request.body));
      audited(request, record);
      return userToWire(record);
    },
  );

  app.delete<IdParams>(
    '/api/v1/users/:id',
    {
      config: { access: 'users.write', audit: 'users.remove' },
      schema: {
        tags,
        summary: 'Remove a user and all that is personal; the ledger keeps the identifier',
        response: { 200: userSchema, default: errorSchema },
      },
    },
    async (request) => {
      const record = await users.remove(callerOf(request), requireId(request.params.id));
      audited(request, record);
      return userToWire(record);
    },
  );
}

function sessionRoutes(app: AdminApp, { users }: AdminServices): void {
  app.get<IdParams>(
    '/api/v1/users/:id/sessions',
    {
      config: { access: 'users.read' },
      schema: {
        tags,
        summary: 'List the sessions of a user, newest first',
        response: { 200: openSessionListSchema, default: errorSchema },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const sessions = await users.sessions(caller, requireId(request.params.id));
      return openSessionsToWire(sessions, caller.familyId);
    },
  );

  app.delete<IdParams>(
    '/api/v1/users/:id/sessions',
    {
      config: { access: 'users.write', audit: 'users.sign_out' },
      schema: {
        tags,
        summary: 'End all sessions of a user, who may sign in again',
        response: { 200: userSchema, default: errorSchema },
      },
    },
    async (request) => {
      const record = await users.signOut(callerOf(request), requireId(request.params.id));
      audited(request, record);
      return userToWire(record);
    },
  );
}

function changeOf({ is_active, is_verified, ...body }: UserUpdate): UserChange {
  const { email, username, password, roles, ...rest } = body;
  const account = { email, username, password, roles };
  return { ...account, isActive: is_active, isVerified: is_verified, ...grantOf(rest) };
}

function grantOf({ models, limits, budget }: Pick<UserUpdate, 'models' | 'limits' | 'budget'>) {
  return {
    models,
    limits: limits === undefined ? undefined : limitsFromWire(limits),
    budget: budget === undefined || budget === null ? budget : budgetFromWire(budget),
  };
}

function requireId(id: string): string {
  if (isPlausibleId(id)) return id;
  throw notFound('user');
}
