/**
 * The steps of moving and erasing a tenant's own data, over the shared database and those of
 * single tenants. A database that a step needs is opened for it and closed behind it.
 */
import { GatewayError } from '../../gateway/model/errors.ts';
import type { DataMover } from '../../tenancy/ports/data-mover.ts';
import type { DataPlace, PlaceOwner } from '../../tenancy/ports/data-place.ts';
import type { Engine } from '../engine.ts';
import { copyRows } from './copy-rows.ts';
import { requireNoHome } from './homes.ts';
import { deleteRows, KEYS_AT_ONCE, keysAfter } from './own-rows.ts';
import { OWN_TABLES } from './own-tables.ts';
import type { Route } from './route-book.ts';
import type { TenantEngine } from './tenant-engine.ts';

export interface DataMoverOptions {
  readonly shared: Engine;
  /** `isNew`: what is not there may be made. */
  readonly make: (route: Route, isNew: boolean) => TenantEngine;
}

type HomeState = 'open' | 'closed';

export function createDataMover(options: DataMoverOptions): DataMover {
  const { shared, make } = options;

  async function within<T>(
    owner: PlaceOwner,
    place: DataPlace | null,
    work: (engine: Engine) => Promise<T>,
    isNew = false,
  ): Promise<T> {
    if (place === null) return work(shared);
    const engine = make({ ...owner, place }, isNew);
    try {
      await engine.open();
      return await work(engine);
    } finally {
      await engine.close();
    }
  }

  async function onBoth(
    owner: PlaceOwner,
    places: readonly [DataPlace | null, DataPlace | null],
    removes: boolean,
    signal: AbortSignal,
  ) {
    const rows = await within(owner, places[0], (from) =>
      within(owner, places[1], (to) => copyRows({ from, to, tenant: owner.slug, removes, signal })),
    );
    return { rows };
  }

  return {
    async probe(owner, place) {
      const engine = make({ ...owner, place }, false);
      try {
        return await engine.probe();
      } finally {
        await engine.close();
      }
    },
    prepare: (owner, to) =>
      within(owner, to, (engine) => prepareHome(engine, owner, to === null), true),
    copy: (owner, from, to, signal) => onBoth(owner, [from, to], false, signal),
    settle: (owner, from, to, signal) => onBoth(owner, [from, to], true, signal),
    close: (owner, place) => within(owner, place, (engine) => setHome(engine, owner, 'closed')),
    open: (owner, place) => within(owner, place, (engine) => setHome(engine, owner, 'open')),
    clear: (owner, place, signal) =>
      within(owner, place, (engine) => clearRows(engine, owner.slug, signal)),
    async destroy(owner, place) {
      const engine = make({ ...owner, place }, true);
      await engine.destroy(owner.slug);
    },
  };
}

/**
 * A home that is open is somebody's: the shared database, or that of another installation. So is
 * a database whose installation has said anything of itself, and one with another tenant in it.
 */
async function prepareHome(engine: Engine, { slug }: PlaceOwner, isShared: boolean): Promise<void> {
  if (!isShared) await requireNobodyElse(engine, slug);
  await engine.transact(slug, async (transaction) => {
    const known = await transaction
      .selectFrom('data_homes')
      .select('state')
      .where('tenant', '=', slug)
      .executeTakeFirst();
    if (known?.state === 'open') {
      throw new GatewayError('conflict', {
        message: 'This database is the home of a tenant with this slug already.',
        field: 'database',
      });
    }
    if (known !== undefined) return;
    const home = { tenant: slug, state: 'closed' } as const;
    await transaction.insertInto('data_homes').values(home).execute();
  });
}

/** The tenant that every new database has. */
const EVERYWHERE = 'default';

async function requireNobodyElse(engine: Engine, slug: string): Promise<void> {
  const others = await engine.read(
    null,
    'select tenant as name from data_homes where tenant not in (?, ?) ' +
      "union all select name from installation where name <> 'schema_era'",
    [slug, EVERYWHERE],
  );
  if (others.length === 0) return;
  throw new GatewayError('conflict', {
    message:
      'This database belongs to an installation, or to another tenant. Name one of its own: ' +
      'erasing the tenant takes all of it away.',
    field: 'database',
  });
}

/** Waits for everybody who was let in: they hold the row. */
async function setHome(engine: Engine, { slug }: PlaceOwner, state: HomeState): Promise<void> {
  await engine.transact(slug, async (transaction) => {
    await transaction.updateTable('data_homes').set({ state }).where('tenant', '=', slug).execute();
  });
}

async function clearRows(engine: Engine, tenant: string, signal: AbortSignal): Promise<number> {
  let cleared = 0;
  for (const table of OWN_TABLES) {
    for (;;) {
      signal.throwIfAborted();
      const keys = await keysAfter(engine, table, tenant, '');
      await engine.transact(tenant, async (transaction) => {
        await requireNoHome(engine, transaction, tenant);
        await deleteRows(transaction, table, keys);
      });
      cleared += keys.length;
      if (keys.length < KEYS_AT_ONCE) break;
    }
  }
  await engine.transact(tenant, (transaction) =>
    transaction
      .deleteFrom('data_homes')
      .where('tenant', '=', tenant)
      .where('state', '=', 'closed')
      .execute(),
  );
  await engine.scrub();
  return cleared;
}
