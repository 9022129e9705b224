/**
 * Tenants over their life: made, read, listed. Only a superadmin does any of it.
 *
 * Invariant: a slug never changes, because keys, rows and cache entries carry it.
 */
import { GatewayError, type Principal } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

export interface NewTenant {
  readonly slug: string;
  readonly name: string;
}

export interface TenantUseCases {
  /** Throws `conflict` (field `slug`) when the slug is taken. */
  create(actor: Principal, wanted: NewTenant): Promise<TenantRecord>;
  /** Throws `not_found` where there is none. */
  get(actor: Principal, slug: string): Promise<TenantRecord>;
  /** In the order of their slugs. */
  list(
    actor: Principal,
    page: { readonly limit: number; readonly afterSlug: string | null },
  ): Promise<readonly TenantRecord[]>;
  /** Whether there is such a tenant; for the program itself, without a caller. */
  exists(slug: string): Promise<boolean>;
  /** Makes the tenant where it is missing; harmless where another start does the same. */
  ensure(wanted: NewTenant): Promise<void>;
}

export interface TenantUseCasesOptions {
  readonly repository: TenantRepository;
  /** Throws `permission_denied` for whoever may not do this to tenants. */
  readonly authorize: (actor: Principal, permission: 'tenants.read' | 'tenants.write') => void;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** Every method may throw `storage_unavailable`. */
export function createTenantUseCases(options: TenantUseCasesOptions): TenantUseCases {
  const { repository, authorize } = options;

  async function insert(wanted: NewTenant): Promise<TenantRecord> {
    const record: TenantRecord = {
      id: options.ids.next('ten'),
      slug: wanted.slug,
      name: wanted.name,
      createdAtMs: options.clock.wallMs(),
    };
    await repository.insert(record);
    return record;
  }

  return {
    async create(actor, wanted) {
      authorize(actor, 'tenants.write');
      try {
        return await insert(wanted);
      } catch (error) {
        if (!isConflict(error)) throw error;
        throw new GatewayError('conflict', {
          message: `There is a tenant \`${wanted.slug}\` already.`,
          field: 'slug',
        });
      }
    },
    async get(actor, slug) {
      authorize(actor, 'tenants.read');
      const record = await repository.get(slug);
      if (record !== null) return record;
      throw new GatewayError('not_found', { message: 'There is no tenant with this slug.' });
    },
    async list(actor, page) {
      authorize(actor, 'tenants.read');
      return repository.list(page);
    },
    async exists(slug) {
      return (await repository.get(slug)) !== null;
    },
    async ensure(wanted) {
      if ((await repository.get(wanted.slug)) !== null) return;
      try {
        await insert(wanted);
      } catch (error) {
        if (!isConflict(error)) throw error;
      }
    },
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'conflict';
}
