/**
 * API keys over their life: made, listed, changed, revoked. Every rule about who may do that
 * to which key is here; the edges (HTTP, command line) only check shapes.
 *
 * Invariants: the secret leaves once, in the answer to `create`, and is kept as a keyed hash
 * only; a key of another tenant and a missing one are the same `not_found`; every change is in
 * this process's snapshot before the caller hears of it.
 */
import {
  type Budget,
  type CacheUse,
  GatewayError,
  type Limits,
  type Principal,
  type Role,
} from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Random } from '../kernel/random.ts';
import { type AskedConfinement, checkConfinement, settleConfinement } from './confinement.ts';
import { checkGrant, type Grant, settleGrant } from './grants.ts';
import type { KeyPatch, KeyRecord, KeyRepository } from './ports/key-repository.ts';
import { confineTenant } from './roles.ts';
import { generateSecret, type HashSecret, secretHint } from './secret.ts';

export interface NewKey extends Grant, AskedConfinement {
  readonly name: string;
  readonly tenant?: string | undefined;
  readonly role: Extract<Role, 'service' | 'admin'>;
  readonly cacheUse?: CacheUse | undefined;
}

/** What is undefined stays as it is. */
export interface KeyChange extends AskedConfinement {
  readonly name?: string | undefined;
  readonly cacheUse?: CacheUse | undefined;
  readonly models?: readonly string[] | null | undefined;
  readonly limits?: Limits | undefined;
  readonly budget?: Budget | null | undefined;
  readonly expiresAtMs?: number | null | undefined;
}

export interface KeyPage {
  readonly tenant?: string | undefined;
  readonly limit: number;
  readonly beforeId: string | null;
}

export interface KeyUseCases {
  create(
    actor: Principal,
    wanted: NewKey,
  ): Promise<{ readonly record: KeyRecord; readonly secret: string }>;
  get(actor: Principal, id: string): Promise<KeyRecord>;
  /** Newest first, revoked ones included. */
  list(actor: Principal, page: KeyPage): Promise<readonly KeyRecord[]>;
  update(actor: Principal, id: string, change: KeyChange): Promise<KeyRecord>;
  /**
   * Gives a key a new secret; the old one stays good for `overlapMs`. What it may, and what it
   * has used, stays. Only who could make such a key may do it.
   */
  rotate(
    actor: Principal,
    id: string,
    overlapMs: number,
  ): Promise<{ readonly record: KeyRecord; readonly secret: string }>;
  /** Harmless on a key that is revoked already. */
  revoke(actor: Principal, id: string): Promise<KeyRecord>;
}

export interface KeyUseCasesOptions {
  readonly repository: KeyRepository;
  readonly tenantExists: (slug: string) => Promise<boolean>;
  /** Brings this process's snapshot up to date; its failure does not undo the change. */
  readonly refreshSnapshot: () => Promise<void>;
  readonly hashSecret: HashSecret;
  readonly random: Random;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** Every method may throw `permission_denied`, `not_found` and `storage_unavailable`. */
export function createKeyUseCases(options: KeyUseCasesOptions): KeyUseCases {
  return {
    create: (actor, wanted) => create(options, actor, wanted),
    get: (actor, id) => read(options, actor, 'keys.read', id),
    list: (actor, page) => list(options, actor, page),
    update: (actor, id, change) => update(options, actor, id, change),
    rotate: (actor, id, overlapMs) => rotate(options, actor, id, overlapMs),
    revoke: (actor, id) => revoke(options, actor, id),
  };
}

async function create(options: KeyUseCasesOptions, actor: Principal, wanted: NewKey) {
  const { clock, ids, random } = options;
  const tenant = confineTenant(actor, 'keys.write', wanted.tenant) ?? actor.tenant;
  if (wanted.role !== 'service') requireSuperadmin(actor);
  const grant = settleGrant(actor, wanted);
  const held = await networksOf(options, actor);
  const confinement = settleConfinement(actor, held, wanted);
  requireFuture(wanted.expiresAtMs, clock.wallMs());
  await requireTenant(options, tenant);
  const secret = generateSecret(random);
  const record: KeyRecord = {
    id: ids.next('key'),
    tenant,
    name: wanted.name,
    hint: secretHint(secret),
    secretHash: options.hashSecret(secret),
    previousHash: null,
    previousUntilMs: null,
    role: wanted.role,
    ...confinement,
    cacheUse: wanted.cacheUse ?? 'default',
    models: withoutTwins(grant.models),
    limits: grant.limits,
    budget: grant.budget,
    createdAtMs: clock.wallMs(),
    expiresAtMs: grant.expiresAtMs,
    revokedAtMs: null,
  };
  await options.repository.insert(record);
  await options.refreshSnapshot();
  return { record, secret };
}

async function list(options: KeyUseCasesOptions, actor: Principal, page: KeyPage) {
  const tenant = confineTenant(actor, 'keys.read', page.tenant);
  return options.repository.list({ tenant, limit: page.limit, beforeId: page.beforeId });
}

async function update(options: KeyUseCasesOptions, actor: Principal, id: string, to: KeyChange) {
  const before = await read(options, actor, 'keys.write', id);
  requireLiving(before);
  checkGrant(actor, to);
  checkConfinement(actor, await networksOf(options, actor), to);
  requireFuture(to.expiresAtMs, options.clock.wallMs());
  return write(options, before, {
    ...(to.name !== undefined && { name: to.name }),
    ...(to.scopes !== undefined && { scopes: withoutTwins(to.scopes) }),
    ...(to.addresses !== undefined && { addresses: withoutTwins(to.addresses) }),
    ...(to.cacheUse !== undefined && { cacheUse: to.cacheUse }),
    ...(to.models !== undefined && { models: withoutTwins(to.models) }),
    ...(to.limits !== undefined && { limits: to.limits }),
    ...(to.budget !== undefined && { budget: to.budget }),
    ...(to.expiresAtMs !== undefined && { expiresAtMs: to.expiresAtMs }),
  });
}

async function rotate(
  options: KeyUseCasesOptions,
  actor: Principal,
  id: string,
  overlapMs: number,
) {
  const before = await read(options, actor, 'keys.write', id);
  requireLiving(before);
  if (before.role !== 'service' && id !== actor.keyId) requireSuperadmin(actor);
  checkGrant(actor, before);
  checkConfinement(actor, await networksOf(options, actor), before);
  const secret = generateSecret(options.random);
  const record = await write(options, before, {
    hint: secretHint(secret),
    secretHash: options.hashSecret(secret),
    previousHash: overlapMs > 0 ? before.secretHash : null,
    previousUntilMs: overlapMs > 0 ? options.clock.wallMs() + overlapMs : null,
  });
  return { record, secret };
}

/** The networks that the actor's own key may be used from; null: any. */
async function networksOf({ repository }: KeyUseCasesOptions, actor: Principal) {
  if (actor.kind !== 'api_key') return null;
  return (await repository.get(actor.keyId, actor.tenant))?.addresses ?? null;
}

function requireLiving(key: KeyRecord): void {
  if (key.revokedAtMs === null) return;
  throw new GatewayError('conflict', {
    message: 'The key is revoked and cannot be changed. Create a new one.',
  });
}

async function revoke(options: KeyUseCasesOptions, actor: Principal, id: string) {
  const before = await read(options, actor, 'keys.write', id);
  if (before.revokedAtMs !== null) return before;
  if (id === actor.keyId) {
    throw new GatewayError('conflict', {
      message: 'A key cannot revoke itself. Use another administrator’s key.',
    });
  }
  return write(options, before, { revokedAtMs: options.clock.wallMs() });
}

/** The record, where the actor may have it; a foreign one is not even read. */
async function read(
  options: KeyUseCasesOptions,
  actor: Principal,
  permission: 'keys.read' | 'keys.write',
  id: string,
): Promise<KeyRecord> {
  const tenant = confineTenant(actor, permission, undefined);
  const record = await options.repository.get(id, tenant);
  if (record === null) throw keyNotFound();
  return record;
}

async function write(
  options: KeyUseCasesOptions,
  { id, tenant }: KeyRecord,
  patch: KeyPatch,
): Promise<KeyRecord> {
  const record = await options.repository.update(id, tenant, patch);
  if (record === null) throw keyNotFound();
  await options.refreshSnapshot();
  return record;
}

function withoutTwins(models: readonly string[] | null): readonly string[] | null {
  return models === null ? null : [...new Set(models)];
}

function keyNotFound(): GatewayError {
  return new GatewayError('not_found', { message: 'There is no key with this id.' });
}

function requireSuperadmin(actor: Principal): void {
  if (actor.roles.includes('superadmin')) return;
  throw new GatewayError('permission_denied', {
    message: 'Only a superadmin gives out the role `admin`.',
    field: 'role',
  });
}

function requireFuture(expiresAtMs: number | null | undefined, nowMs: number): void {
  if (expiresAtMs === null || expiresAtMs === undefined || expiresAtMs > nowMs) return;
  throw new GatewayError('invalid_request', {
    message: '`expires_at` lies in the past.',
    field: 'expires_at',
  });
}

async function requireTenant(options: KeyUseCasesOptions, slug: string): Promise<void> {
  if (await options.tenantExists(slug)) return;
  throw new GatewayError('invalid_request', {
    message: `There is no tenant \`${slug}\`. Create it first.`,
    field: 'tenant',
  });
}
