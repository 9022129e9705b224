/**
 * Tenants over their life: made, read, listed, changed, suspended. Only a superadmin does any
 * of it.
 *
 * Invariants: a slug never changes, because keys, rows and cache entries carry it; every change
 * is in this process's snapshot before the caller hears of it.
 */
import {
  type Allowance,
  type Budget,
  GatewayError,
  type Limits,
  type Principal,
} from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { hostName } from '../kernel/host-name.ts';
import type { IdSource } from '../kernel/id.ts';
import type { TenantPatch, TenantRecord, TenantRepository } from './ports/tenant-repository.ts';

export interface NewTenant {
  readonly slug: string;
  readonly name: string;
  readonly hosts?: readonly string[] | undefined;
  readonly limits?: Limits | undefined;
  readonly budget?: Budget | null | undefined;
  readonly models?: Readonly<Record<string, Allowance>> | undefined;
}

/** What is undefined stays as it is. */
export interface TenantChange {
  readonly name?: string | undefined;
  readonly hosts?: readonly string[] | undefined;
  /** Replaced as a whole, as are the models. */
  readonly limits?: Limits | undefined;
  /** null removes it. */
  readonly budget?: Budget | null | undefined;
  readonly models?: Readonly<Record<string, Allowance>> | undefined;
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
  /** Throws `not_found`, `invalid_request` and `conflict` (field `hosts`). */
  update(actor: Principal, slug: string, change: TenantChange): Promise<TenantRecord>;
  /**
   * Refuses its keys and tokens within two seconds, everywhere; harmless the second time.
   * Throws `not_found`, and `conflict` for the tenant that operators themselves belong to.
   */
  suspend(actor: Principal, slug: string): Promise<TenantRecord>;
  /** Harmless on one that is at work. */
  resume(actor: Principal, slug: string): Promise<TenantRecord>;
  /** Whether there is such a tenant; for the program itself, without a caller. */
  exists(slug: string): Promise<boolean>;
  /** Makes the tenant where it is missing; harmless where another start does the same. */
  ensure(wanted: NewTenant): Promise<void>;
}

export interface TenantUseCasesOptions {
  readonly repository: TenantRepository;
  /** Brings this process's snapshot up to date; its failure does not undo the change. */
  readonly refreshSnapshot: () => Promise<void>;
  /** Whose keys operators use: it cannot be suspended. */
  readonly ownSlug: string;
  /** Throws `permission_denied` for whoever may not do this to tenants. */
  readonly authorize: (actor: Principal, permission: 'tenants.read' | 'tenants.write') => void;
  readonly ids: IdSource;
  readonly clock: Clock;
}

/** Every method may throw `storage_unavailable`. */
export function createTenantUseCases(options: TenantUseCasesOptions): TenantUseCases {
  const { repository, authorize } = options;
  return {
    async create(actor, wanted) {
      authorize(actor, 'tenants.write');
      return insert(options, wanted);
    },
    async get(actor, slug) {
      authorize(actor, 'tenants.read');
      return (await repository.get(slug)) ?? missing();
    },
    async list(actor, page) {
      authorize(actor, 'tenants.read');
      return repository.list(page);
    },
    async update(actor, slug, { name, hosts, limits, budget, models }) {
      authorize(actor, 'tenants.write');
      return write(options, slug, {
        ...(name !== undefined && { name }),
        ...(hosts !== undefined && { hosts: checkHosts(hosts) }),
        ...(limits !== undefined && { limits }),
        ...(budget !== undefined && { budget }),
        ...(models !== undefined && { models }),
      });
    },
    async suspend(actor, slug) {
      authorize(actor, 'tenants.write');
      const before = (await repository.get(slug)) ?? missing();
      if (slug === options.ownSlug) throw isOwn(slug);
      if (before.suspendedAtMs !== null) return before;
      return write(options, slug, { suspendedAtMs: options.clock.wallMs() });
    },
    async resume(actor, slug) {
      authorize(actor, 'tenants.write');
      return write(options, slug, { suspendedAtMs: null });
    },
    async exists(slug) {
      return (await repository.get(slug)) !== null;
    },
    async ensure(wanted) {
      if ((await repository.get(wanted.slug)) !== null) return;
      try {
        await insert(options, wanted);
      } catch (error) {
        if (!(error instanceof GatewayError && error.code === 'conflict')) throw error;
      }
    },
  };
}

async function insert(options: TenantUseCasesOptions, wanted: NewTenant): Promise<TenantRecord> {
  const record: TenantRecord = {
    id: options.ids.next('ten'),
    slug: wanted.slug,
    name: wanted.name,
    createdAtMs: options.clock.wallMs(),
    suspendedAtMs: null,
    hosts: checkHosts(wanted.hosts ?? []),
    limits: wanted.limits ?? {},
    budget: wanted.budget ?? null,
    models: wanted.models ?? {},
    place: null,
    job: null,
    erasedAtMs: null,
  };
  await options.repository.insert(record);
  await options.refreshSnapshot();
  return record;
}

/** What is erased, or about to be, stays as it is. */
async function write(
  { repository, refreshSnapshot }: TenantUseCasesOptions,
  slug: string,
  patch: TenantPatch,
): Promise<TenantRecord> {
  const record = await repository.modify(slug, ({ erasedAtMs, job }) => {
    const isLeaving = job?.kind === 'erase' && job.endedAtMs === null;
    if (erasedAtMs !== null || isLeaving) throw isGone(slug);
    return patch;
  });
  await refreshSnapshot();
  return record ?? missing();
}

function isGone(slug: string): GatewayError {
  return new GatewayError('conflict', {
    message: `The tenant \`${slug}\` is erased, or is being erased. Its slug stays taken.`,
    field: 'slug',
  });
}

function checkHosts(hosts: readonly string[]): readonly string[] {
  const names = hosts.map((host) => {
    const name = hostName(host);
    if (name !== null) return name;
    throw new GatewayError('invalid_request', {
      message: `\`hosts\`: ${JSON.stringify(host)} is not the name of a host.`,
      field: 'hosts',
    });
  });
  return [...new Set(names)].sort();
}

function isOwn(slug: string): GatewayError {
  return new GatewayError('conflict', {
    message: `\`${slug}\` is the tenant of the operators' own keys and stays at work.`,
    field: 'slug',
  });
}

function missing(): never {
  throw new GatewayError('not_found', { message: 'There is no tenant with this slug.' });
}
