/**
 * Feature flags: look at them, change them, ask one for somebody, and give one a plan that
 * raises it step by step and takes it back by itself.
 */
import {
  errorSchema,
  flagAnswerSchema,
  flagListSchema,
  flagPathSchema,
  flagQuestionSchema,
  flagSchema,
  flagUpdateSchema,
  rolloutPlanSchema,
} from '@esclusa/contracts';
import { flagToWire } from '../../shapes/flags.ts';
import { callerOf } from '../access.ts';
import type { AdminApp } from '../instance.ts';
import type { AdminServices } from '../services.ts';

const tags = ['flags'];
const ITEM = '/api/v1/flags/:name';
const response = { 200: flagSchema, default: errorSchema };

export function flagRoutes(app: AdminApp, services: AdminServices): void {
  readingRoutes(app, services);
  changingRoutes(app, services);
  rolloutRoutes(app, services);
}

function readingRoutes(app: AdminApp, { flags }: AdminServices): void {
  app.get(
    '/api/v1/flags',
    {
      config: { access: 'flags.read' },
      schema: {
        tags,
        summary: 'List feature flags',
        response: { 200: flagListSchema, default: errorSchema },
      },
    },
    async () => {
      const views = await flags.list();
      return { data: views.map((view) => flagToWire(view, flags.isForcedOff)), next: null };
    },
  );

  app.get(
    ITEM,
    {
      config: { access: 'flags.read' },
      schema: { tags, summary: 'Read a feature flag', params: flagPathSchema, response },
    },
    async ({ params }) => flagToWire(await flags.get(params.name), flags.isForcedOff),
  );

  app.post(
    `${ITEM}/evaluate`,
    {
      config: { access: 'flags.read' },
      schema: {
        tags,
        summary: 'Say what a feature flag is for a tenant and a caller',
        params: flagPathSchema,
        body: flagQuestionSchema,
        response: { 200: flagAnswerSchema, default: errorSchema },
      },
    },
    async ({ params, body }) => {
      const subject = { tenant: body.tenant, user: body.user ?? '' };
      return { name: params.name, ...(await flags.evaluate(params.name, subject)) };
    },
  );
}

function changingRoutes(app: AdminApp, { flags }: AdminServices): void {
  app.put(
    ITEM,
    {
      config: { access: 'flags.write', audit: 'flags.update' },
      schema: {
        tags,
        summary: 'Change a feature flag, or make one; ends a plan that is raising it',
        params: flagPathSchema,
        body: flagUpdateSchema,
        response,
      },
    },
    async (request) => {
      const { name } = request.params;
      const view = await flags.update(name, request.body, callerOf(request).keyId);
      return flagToWire(view, flags.isForcedOff);
    },
  );

  app.delete(
    ITEM,
    {
      config: { access: 'flags.write', audit: 'flags.remove' },
      schema: {
        tags,
        summary: 'Take a feature flag back to what it is by default',
        params: flagPathSchema,
        response,
      },
    },
    async ({ params: { name } }) => {
      await flags.remove(name);
      return flagToWire({ name, record: null }, flags.isForcedOff);
    },
  );
}

function rolloutRoutes(app: AdminApp, { flags }: AdminServices): void {
  app.put(
    `${ITEM}/rollout`,
    {
      config: { access: 'flags.write', audit: 'flags.rollout' },
      schema: {
        tags,
        summary: 'Raise a feature flag step by step, and take it back where a guard breaks',
        params: flagPathSchema,
        body: rolloutPlanSchema,
        response,
      },
    },
    async (request) => {
      const { name } = request.params;
      const view = await flags.roll(name, request.body, callerOf(request).keyId);
      return flagToWire(view, flags.isForcedOff);
    },
  );

  app.delete(
    `${ITEM}/rollout`,
    {
      config: { access: 'flags.write', audit: 'flags.cancel' },
      schema: {
        tags,
        summary: 'End the plan and leave the share where it is',
        params: flagPathSchema,
        response,
      },
    },
    async (request) => {
      const view = await flags.cancel(request.params.name, callerOf(request).keyId);
      return flagToWire(view, flags.isForcedOff);
    },
  );
}
