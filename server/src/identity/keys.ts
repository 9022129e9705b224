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
  GatewayError,
  type Limits,
  type Principal,
  type Role,
} from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Random } from '../kernel/random.ts';
import { checkGrant, type Grant, settleGrant } from './grants.ts';
import type { KeyRecord, KeyRepository } from './ports/key-repository.ts';
import { confineTenant, requirePermission } from './roles.ts';
import { generateSecret, type HashSecret, secretHint } from './secret.ts';

export interface NewKey extends Grant {
  readonly name: string;
  readonly tenant?: string | undefined;
  readonly role: Extract<Role, 'service' | 'admin'>;
}

/** What is undefined stays as it is. */
export interface KeyChange {
  readonly name?: string | undefined;
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
  const { repository, clock } = options;

  async function visible(actor: Principal, id: string): Promise<KeyRecord> {
    const record = await repository.get(id);
    const tenant = confineTenant(actor, 'keys.read', undefined);
    if (record === null || (tenant !== null && record.tenant !== tenant)) throw keyNotFound();
    return record;
  }

  async function create(actor: Principal, wanted: NewKey) {
    requirePermission(actor, 'keys.write');
    const tenant = confineTenant(actor, 'keys.write', wanted.tenant) ?? actor.tenant;
    if (wanted.role !== 'service') requireSuperadmin(actor);
    const grant = settleGrant(actor, wanted);
    requireFuture(wanted.expiresAtMs, clock.wallMs());
    await requireTenant(options, tenant);
    const secret = generateSecret(options.random);
    const record: KeyRecord = {
      id: options.ids.next('key'),
      tenant,
      name: wanted.name,
      hint: secretHint(secret),
      secretHash: options.hashSecret(secret),
      role: wanted.role,
      models: withoutTwins(grant.models),
      limits: grant.limits,
      budget: grant.budget,
      createdAtMs: clock.wallMs(),
      expiresAtMs: grant.expiresAtMs,
      revokedAtMs: null,
    };
    await repository.insert(record);
    await options.refreshSnapshot();
    return { record, secret };
  }

  async function change(id: string, patch: Parameters<KeyRepository['update']>[1]) {
    const record = await repository.update(id, patch);
    if (record === null) throw keyNotFound();
    await options.refreshSnapshot();
    return record;
  }

  return {
    create,
    get(actor, id) {
      requirePermission(actor, 'keys.read');
      return visible(actor, id);
    },
    async list(actor, page) {
      const tenant = confineTenant(actor, 'keys.read', page.tenant);
      return repository.list({ tenant, limit: page.limit, beforeId: page.beforeId });
    },
    async update(actor, id, wanted) {
      requirePermission(actor, 'keys.write');
      const before = await visible(actor, id);
      if (before.revokedAtMs !== null) {
        throw new GatewayError('conflict', {
          message: 'The key is revoked and cannot be changed. Create a new one.',
        });
      }
      checkGrant(actor, wanted);
      requireFuture(wanted.expiresAtMs, clock.wallMs());
      return change(id, {
        ...(wanted.name !== undefined && { name: wanted.name }),
        ...(wanted.models !== undefined && { models: withoutTwins(wanted.models) }),
        ...(wanted.limits !== undefined && { limits: wanted.limits }),
        ...(wanted.budget !== undefined && { budget: wanted.budget }),
        ...(wanted.expiresAtMs !== undefined && { expiresAtMs: wanted.expiresAtMs }),
      });
    },
    async revoke(actor, id) {
      requirePermission(actor, 'keys.write');
      const before = await visible(actor, id);
      if (before.revokedAtMs !== null) return before;
      if (id === actor.keyId) {
        throw new GatewayError('conflict', {
          message: 'A key cannot revoke itself. Use another administrator’s key.',
        });
      }
      return change(id, { revokedAtMs: clock.wallMs() });
    },
  };
}

function withoutTwins(models: readonly string[] | null): readonly string[] | null {
  return models === null ? null : [...new Set(models)];
}

function keyNotFound(): GatewayError {
  return new GatewayError('not_found', { message: 'There is no key with this id.' });
}

function requireSuperadmin(actor: Principal): void {
  if (actor.role === 'superadmin') return;
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
