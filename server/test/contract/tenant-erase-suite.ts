/**
 * What erasing a tenant promises on every engine, cut off at every step, whether or not it has
 * a database of its own. Method: real databases, the real steps, and a process that dies before
 * or behind any one of them; another goes on, and nothing is left in the end.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { systemClock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import type { Storage } from '../../src/storage/index.ts';
import {
  createErasedSweep,
  createEraseWork,
  createMoveWork,
  createTenantJobs,
} from '../../src/tenancy/index.ts';
import type { DataPlace } from '../../src/tenancy/ports/data-place.ts';
import type { TenantRecord } from '../../src/tenancy/ports/tenant-repository.ts';
import { keyRecord } from '../support/key-record.ts';
import { ids, ledgerEntry } from '../support/storage.ts';
import type { OpenHomes } from '../support/tenant-homes.ts';
import { until } from '../support/until.ts';

const STEPS = ['scrub', 'close', 'clear', 'ledger', 'remove', 'settle', 'prove'] as const;
type Step = (typeof STEPS)[number] | 'destroy';
const NOW_MS = 1_700_000_000_000;
const ROWS = 3;

/** Stands before and behind each step; throws to be cut off there. */
type Cut = (step: Step, isBehind: boolean) => Promise<void>;

async function runProcess(storage: Storage, owner: string, proofs: string[], cut: Cut) {
  const { mover } = storage.places;
  const eraser = storage.tenantEraser;
  function around<Args extends unknown[], Result>(
    step: Step,
    call: (...args: Args) => Promise<Result>,
  ) {
    return async (...args: Args): Promise<Result> => {
      await cut(step, false);
      const result = await call(...args);
      await cut(step, true);
      return result;
    };
  }
  const jobs = createTenantJobs({
    repository: storage.tenants,
    work: {
      move: createMoveWork({ mover, clock: systemClock, settleMaxMs: 10_000, drainMs: 5 }),
      erase: createEraseWork({
        mover: {
          ...mover,
          close: around('close', mover.close),
          clear: around('clear', mover.clear),
          destroy: around('destroy', mover.destroy),
        },
        eraser: {
          scrub: around('scrub', eraser.scrub),
          ledger: around('ledger', eraser.ledger),
          remove: around('remove', eraser.remove),
          settle: around('settle', eraser.settle),
        },
        prove: around('prove', async ({ slug }: TenantRecord) => {
          proofs.push(slug);
          return true;
        }),
        ...{ clock: systemClock, drainMs: 5 },
      }),
    },
    ...{ owner, refreshSnapshot: async () => undefined, clock: systemClock, log: silentLog },
  });
  await jobs.run('acme');
}

async function fill(storage: Storage): Promise<void> {
  for (const tenant of ['acme', 'globex']) {
    for (let at = 0; at < ROWS; at += 1) {
      const entry = ledgerEntry({ tenant, keyId: `key_${tenant}`, correlationId: `said ${at}` });
      await storage.ledger.append(entry);
      await storage.responses.insert({
        ...{ id: `resp_${tenant}_${at}`, tenant, keyId: `key_${tenant}`, createdAtMs: NOW_MS },
        ...{ previousId: null, input: Buffer.from('[]'), response: Buffer.from('{}') },
      });
    }
    await storage.keys.insert(keyRecord({ tenant, id: `key_${tenant}` }));
  }
}

async function begin(storage: Storage, ledger: 'keep' | 'erase'): Promise<void> {
  await storage.tenants.modify('acme', () => ({
    suspendedAtMs: NOW_MS,
    job: {
      ...{ kind: 'erase', id: ids.next('job'), step: 'stopping', ledger, actor: 'key_admin' },
      ...{ removed: {}, startedAtMs: NOW_MS, endedAtMs: null, error: null },
      ...{ owner: null, leaseUntilMs: 0 },
    },
  }));
}

/** What is left of a tenant. */
async function left(storage: Storage, tenant: string) {
  const filter = { tenant, limit: 9, beforeId: null };
  const rows = await storage.ledgerQueries.list({ tenant }, filter);
  return {
    keys: (await storage.keys.list(filter)).length,
    rows: rows.map(({ id, keyId, correlationId }) => ({
      key: keyId.replace(/_\d+$/, ''),
      said: correlationId === id ? null : correlationId,
    })),
    responses: await storage.places.within('globex', async (engine) => {
      const [found] = await engine.read<{ n: number }>(
        null,
        'select count(*) as n from responses where tenant = ?',
        [tenant],
      );
      return found?.n;
    }),
  };
}

const nowhere: Cut = async () => undefined;
const gone = { key: 'erased', said: null };

export function tenantEraseSuite(name: string, open: OpenHomes): void {
  describe(name, () => {
    for (const step of STEPS) cutOffTests(open, step);
    cutOffTests(open, 'destroy');
    rowTests(open);
  });
}

function cutOffTests(open: OpenHomes, step: Step): void {
  for (const isBehind of [false, true]) {
    const where = `${isBehind ? 'behind' : 'before'} ${step}`;
    test(`an erasure that died ${where} is finished by another process`, async (t) => {
      const { storage, own } = await open(t);
      await fill(storage);
      if (step === 'destroy') await moveTo(storage, own);
      const other = await left(storage, 'globex');
      await begin(storage, 'keep');
      const proofs: string[] = [];
      const { promise: death, resolve } = Promise.withResolvers<void>();

      void runProcess(storage, 'proc_1', proofs, async (at, behind) => {
        if (at !== step || behind !== isBehind) return;
        // Its lease runs out, and it does nothing any more.
        const free = { owner: null, leaseUntilMs: 0 };
        await storage.tenants.modify('acme', ({ job }) => job && { job: { ...job, ...free } });
        resolve();
        await new Promise(() => undefined);
      });
      await death;
      await until('another to finish', async () => {
        await runProcess(storage, 'proc_2', proofs, nowhere);
        return (await storage.tenants.get('acme'))?.erasedAtMs !== null;
      });

      const expected = { keys: 0, rows: Array.from({ length: ROWS }, () => gone), responses: 0 };
      assert.deepEqual(await left(storage, 'acme'), expected);
      assert.deepEqual(await left(storage, 'globex'), other);
      assert.ok(proofs.length >= 1);
      const record = await storage.tenants.get('acme');
      assert.deepEqual([record?.name, record?.hosts, record?.job?.step], ['', [], 'done']);
    });
  }
}

async function moveTo(storage: Storage, to: DataPlace): Promise<void> {
  await storage.tenants.modify('acme', () => ({
    job: {
      ...{ kind: 'move', id: ids.next('job'), step: 'preparing', from: null, to, rows: 0 },
      ...{ startedAtMs: 0, endedAtMs: null, error: null, owner: null, leaseUntilMs: 0 },
    },
  }));
  await runProcess(storage, 'proc_0', [], nowhere);
  assert.equal((await storage.tenants.get('acme'))?.place?.kind, to.kind);
}

function rowTests(open: OpenHomes): void {
  test('however many rows there are, each is looked at once and others keep theirs', async (t) => {
    const { storage } = await open(t);
    const total = 1234;
    for (let at = 0; at < total; at += 1) {
      // Many of one instant, as a fast program makes them.
      const createdAtMs = NOW_MS + Math.floor(at / 700);
      void storage.ledger.append(ledgerEntry({ tenant: 'acme', createdAtMs, correlationId: 'x' }));
    }
    await storage.ledger.append(ledgerEntry({ tenant: 'globex', correlationId: 'x' }));
    const { signal } = new AbortController();

    const kept = await storage.tenantEraser.ledger('acme', 'keep', signal);
    const again = await storage.tenantEraser.ledger('acme', 'keep', signal);
    const erased = await storage.tenantEraser.ledger('acme', 'erase', signal);

    assert.deepEqual([kept, again, erased], [total, 0, total]);
    assert.deepEqual((await left(storage, 'acme')).rows, []);
    assert.equal((await left(storage, 'globex')).rows[0]?.said, 'x');
  });

  for (const how of ['keep', 'erase'] as const) {
    test(`rows that come after an erasure (${how}) are treated as the others were`, async (t) => {
      const { storage } = await open(t);
      await fill(storage);
      await begin(storage, how);
      await runProcess(storage, 'proc_1', [], nowhere);
      const expected = await left(storage, 'acme');
      // From the journal of a process that was dead meanwhile.
      const late = ledgerEntry({ tenant: 'acme', keyId: 'key_late', correlationId: 'said late' });
      await storage.ledger.append(late);
      assert.equal((await left(storage, 'acme')).rows.length, expected.rows.length + 1);
      const sweep = createErasedSweep({
        ...{ tenants: storage.tenants, eraser: storage.tenantEraser, clock: systemClock },
      });
      const { signal } = new AbortController();

      assert.equal(await sweep(signal), 1);

      const rows = how === 'keep' ? [...expected.rows, gone] : [];
      assert.deepEqual((await left(storage, 'acme')).rows, rows);
      assert.equal(await sweep(signal), 0);
      assert.equal((await left(storage, 'globex')).rows[0]?.said, 'said 2');
    });
  }
}
