/**
 * What moving a tenant's own data promises on every engine, cut off at every step. Method: real
 * databases, the real steps, and a process that dies before or behind any one of them; another
 * goes on with what it finds.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { Storage } from '../../src/storage/index.ts';
import { createMoveWork, createTenantJobs } from '../../src/tenancy/index.ts';
import type { DataMover } from '../../src/tenancy/ports/data-mover.ts';
import type { DataPlace } from '../../src/tenancy/ports/data-place.ts';
import { ids } from '../support/storage.ts';
import type { Homes, OpenHomes } from '../support/tenant-homes.ts';
import { until } from '../support/until.ts';

const STEPS = ['prepare', 'copy', 'close', 'settle', 'open', 'clear'] as const;
type Step = (typeof STEPS)[number] | 'destroy';

async function begin(storage: Storage, to: DataPlace | null): Promise<void> {
  await storage.tenants.modify('acme', ({ place: from }) => ({
    job: {
      ...{ kind: 'move', id: ids.next('job'), step: 'preparing', from, to, rows: 0 },
      ...{ startedAtMs: 0, endedAtMs: null, error: null, owner: null, leaseUntilMs: 0 },
    },
  }));
}

/** One process; `cut` says where it dies. */
async function runProcess(storage: Storage, owner: string, mover: DataMover): Promise<void> {
  const jobs = createTenantJobs({
    repository: storage.tenants,
    work: {
      move: createMoveWork({ mover, clock: systemClock, settleMaxMs: 10_000, drainMs: 10 }),
      erase: () => Promise.reject(new Error('nobody erases here')),
    },
    ...{ owner, refreshSnapshot: async () => undefined, clock: systemClock, log: silentLog },
  });
  await jobs.run('acme');
}

/** A process that is gone does nothing any more, and tells nobody. */
function dyingAt(
  { places: { mover }, tenants }: Storage,
  step: Step,
  isBehind: boolean,
): { readonly mover: DataMover; readonly death: Promise<void> } {
  const { promise: death, resolve } = Promise.withResolvers<void>();
  const cut = async (...args: unknown[]): Promise<never> => {
    const call = mover[step] as (...args: unknown[]) => Promise<unknown>;
    if (isBehind) await call(...args);
    // Its lease runs out, and whatever it would still note is refused.
    await tenants.modify(
      'acme',
      ({ job }) => job && { job: { ...job, owner: null, leaseUntilMs: 0 } },
    );
    resolve();
    return new Promise(() => undefined);
  };
  return { mover: { ...mover, [step]: cut }, death };
}

function bodiesOf(id: string) {
  const bytes = Buffer.from(`body of ${id}`);
  return {
    ...{ requestId: id, tenant: 'acme', createdAtMs: 1_700_000_000_000 },
    request: { bytes: new Uint8Array(bytes), truncated: false },
    response: null,
  };
}

function responseOf(id: string) {
  const bytes = new Uint8Array(Buffer.from('{}'));
  return {
    ...{ id, tenant: 'acme', keyId: 'key_1', createdAtMs: 1_700_000_000_000, previousId: null },
    ...{ input: bytes, response: bytes },
  };
}

const IDS = Array.from({ length: 45 }, (_, at) => `x_${String(at).padStart(3, '0')}`);

async function fill(storage: Storage): Promise<void> {
  for (const id of IDS) {
    storage.bodies.keep(bodiesOf(id));
    await storage.responses.insert(responseOf(id));
  }
  await storage.bodies.get('x_000', 'acme');
}

async function assertWhole(storage: Storage): Promise<void> {
  for (const id of IDS) {
    assert.deepEqual(await storage.bodies.get(id, 'acme'), bodiesOf(id));
    assert.deepEqual(await storage.responses.get('acme', id), responseOf(id));
  }
}

function inShared(storage: Storage): Promise<readonly { n: number }[]> {
  // The default tenant stays in the shared database, and so does its view of it.
  return storage.places.within('default', (engine) =>
    engine.read(null, "select count(*) as n from responses where tenant = 'acme'", []),
  );
}

/** `leaving`: the step in which a database of a tenant's own is left behind. */
export function tenantMoveSuite(
  name: string,
  open: OpenHomes,
  leaving: Extract<Step, 'clear' | 'destroy'>,
): void {
  describe(name, () => {
    for (const step of STEPS) cutOffTests(open, step, true);
    cutOffTests(open, leaving, false);
    changeTests(open);
    lateTests(open);
  });
}

function cutOffTests(open: OpenHomes, step: Step, there: boolean): void {
  for (const isBehind of [false, true]) {
    const where = `${isBehind ? 'behind' : 'before'} ${step} ${there ? 'there' : 'back'}`;
    test(`a move that died ${where} is finished by another process`, async (t) => {
      const homes = await open(t);
      const { storage, own } = homes;
      await fill(storage);
      if (!there) await moveThere(homes);
      await begin(storage, there ? own : null);

      const dying = dyingAt(storage, step, isBehind);
      void runProcess(storage, 'proc_1', dying.mover);
      await dying.death;
      await until('another to finish', async () => {
        await runProcess(storage, 'proc_2', storage.places.mover);
        return (await storage.tenants.get('acme'))?.job?.endedAtMs !== null;
      });

      const record = await storage.tenants.get('acme');
      assert.equal(record?.job?.step, 'done');
      assert.deepEqual(record?.place, there ? own : null);
      // The old rows went sooner here than this process hears of the move.
      const found = async () => (await storage.responses.get('acme', 'x_000')) !== null;
      await until('the route to be read anew', found);
      assert.equal((await inShared(storage))[0]?.n, there ? 0 : IDS.length);
      await assertWhole(storage);
      await storage.responses.insert(responseOf('y_1'));
      assert.equal((await inShared(storage))[0]?.n, there ? 0 : IDS.length + 1);
    });
  }
}

async function moveThere({ storage, own }: Homes): Promise<void> {
  await begin(storage, own);
  await runProcess(storage, 'proc_0', storage.places.mover);
}

function changeTests(open: OpenHomes): void {
  test('while a move settles only that tenant cannot write, and all can read', async (t) => {
    const { storage, own } = await open(t);
    await fill(storage);
    const { mover } = storage.places;
    const owner = { id: 'ten_acme', slug: 'acme' };

    await mover.prepare(owner, own);
    await mover.close(owner, null);

    await assert.rejects(storage.responses.insert(responseOf('y_1')), { code: 'tenant_moving' });
    await assert.rejects(storage.responses.delete('acme', 'x_001'), { code: 'tenant_moving' });
    assert.equal(await storage.responses.eraseBefore(2_000_000_000_000, 100), 0);
    assert.notEqual(await storage.responses.get('acme', 'x_001'), null);
    await storage.responses.insert({ ...responseOf('z_1'), tenant: 'globex' });

    await mover.open(owner, null);
    await storage.responses.insert(responseOf('y_1'));
  });

  test('what is deleted and made while it is copied follows', async (t) => {
    const { storage, own } = await open(t);
    await fill(storage);
    const { mover } = storage.places;
    const changing: DataMover = {
      ...mover,
      async copy(...args) {
        const counts = await mover.copy(...args);
        await storage.responses.delete('acme', 'x_003');
        await storage.responses.insert(responseOf('y_1'));
        return counts;
      },
    };
    await begin(storage, own);

    await runProcess(storage, 'proc_1', changing);

    assert.equal((await inShared(storage))[0]?.n, 0);
    const found = async () => (await storage.responses.get('acme', 'y_1')) !== null;
    await until('the route to be read anew', found);
    assert.equal(await storage.responses.get('acme', 'x_003'), null);
    assert.deepEqual(await storage.responses.get('acme', 'y_1'), responseOf('y_1'));
  });

  test('a move that cannot be done leaves everything as it was, and says why', async (t) => {
    const { storage, own } = await open(t);
    await fill(storage);
    const failing: DataMover = {
      ...storage.places.mover,
      settle: () => Promise.reject(new Error('disk full')),
    };
    await begin(storage, own);

    await runProcess(storage, 'proc_1', failing);

    const record = await storage.tenants.get('acme');
    assert.deepEqual([record?.job?.step, record?.job?.error], ['failed', 'disk full']);
    assert.equal(record?.place, null);
    await storage.responses.insert(responseOf('y_1'));
    await assertWhole(storage);
  });
}

function lateTests(open: OpenHomes): void {
  test('who wakes up late changes nothing where the tenant is at home by now', async (t) => {
    const { storage, own } = await open(t);
    await fill(storage);
    const { mover } = storage.places;
    const owner = { id: 'ten_acme', slug: 'acme' };
    const { signal } = new AbortController();
    await begin(storage, own);
    await runProcess(storage, 'proc_1', mover);
    await until(
      'the new home',
      async () => (await storage.responses.get('acme', 'x_000')) !== null,
    );
    await storage.responses.insert(responseOf('y_1'));

    // The old place is empty: to follow it would be to take everything away.
    await assert.rejects(mover.settle(owner, null, own, signal), { code: 'conflict' });
    await assert.rejects(mover.clear(owner, own, signal), { code: 'conflict' });

    await assertWhole(storage);
    assert.notEqual(await storage.responses.get('acme', 'y_1'), null);
  });

  test('who lost the work to another does not open the old place again', async (t) => {
    const { storage, own } = await open(t);
    await fill(storage);
    const { mover } = storage.places;
    const opened: unknown[] = [];
    const late: DataMover = {
      ...mover,
      async settle(...args) {
        const counts = await mover.settle(...args);
        await storage.tenants.modify(
          'acme',
          ({ job }) => job && { job: { ...job, owner: 'proc_2', leaseUntilMs: Number.MAX_VALUE } },
        );
        return counts;
      },
      async open(owner, place) {
        opened.push(place);
        await mover.open(owner, place);
      },
    };
    await begin(storage, own);

    await runProcess(storage, 'proc_1', late);

    assert.deepEqual(opened, []);
    assert.equal((await storage.tenants.get('acme'))?.job?.step, 'settling');
    await assert.rejects(storage.responses.insert(responseOf('y_1')), { code: 'tenant_moving' });
  });
}
