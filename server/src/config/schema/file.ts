/**
 * The whole of `esclusa.yaml` as one schema.
 */
import type { z } from 'zod';
import { cacheGroup } from './cache.ts';
import { databaseGroup, dedicatedGroup } from './database.ts';
import { adminGroup, authGroup } from './identity.ts';
import { objectStorageGroup } from './object-storage.ts';
import {
  captureGroup,
  idempotencyGroup,
  journalGroup,
  ledgerGroup,
  logGroup,
  metricsGroup,
  responsesGroup,
} from './records.ts';
import { redisGroup } from './redis.ts';
import { resilienceGroup } from './resilience.ts';
import {
  modelsMap,
  promptsMap,
  providersMap,
  retiredMap,
  rolesMap,
  routingGroup,
} from './routing.ts';
import { flagsGroup, httpGroup, serviceShape, startupGroup } from './service.ts';
import { group } from './setting.ts';
import { tenantsMap } from './tenants.ts';
import { tracingGroup } from './tracing.ts';

export const fileSchema = group(
  { apply: 'live' },
  {
    ...serviceShape,
    providers: providersMap.default({}),
    models: modelsMap.default({}),
    roles: rolesMap.default({}),
    prompts: promptsMap.default({}),
    retired_models: retiredMap.default({}),
    routing: routingGroup.prefault({}),
    cache: cacheGroup.prefault({}),
    redis: redisGroup.prefault({}),
    resilience: resilienceGroup.prefault({}),
    capture: captureGroup.prefault({}),
    responses: responsesGroup.prefault({}),
    tenants: tenantsMap.default({}),
    idempotency: idempotencyGroup.prefault({}),
    http: httpGroup.prefault({}),
    auth: authGroup.prefault({}),
    admin: adminGroup.prefault({}),
    database: databaseGroup.prefault({}),
    object_storage: objectStorageGroup.prefault({}),
    dedicated_databases: dedicatedGroup.prefault({}),
    journal: journalGroup.prefault({}),
    ledger: ledgerGroup.prefault({}),
    log: logGroup.prefault({}),
    metrics: metricsGroup.prefault({}),
    tracing: tracingGroup.prefault({}),
    startup: startupGroup.prefault({}),
    flags: flagsGroup.prefault({}),
  },
);

/** A complete configuration in the words of the file: every default filled in. */
export type Settings = z.output<typeof fileSchema>;

/** What an operator writes: everything may be left out. */
export type SettingsInput = z.input<typeof fileSchema>;
