/**
 * Goal: what goes wrong inside Redis between two steps of a budget neither loses money nor
 * promises it twice. Method: the store over a real Redis whose keys the test breaks.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SharedSpending } from '../../../src/gateway/ports/budget-store.ts';
import { type Clock, systemClock } from '../../../src/kernel/clock.ts';
import { silentLog } from '../../../src/kernel/log.ts';
import { createRedisBudgetStore } from '../../../src/stores/redis/budget-store.ts';
import { RedisFailure } from '../../../src/stores/redis/failure.ts';
import type { RedisStore } from '../../../src/stores/redis/store.ts';
import { createWorkers, type Workers } from '../../../src/stores/redis/workers.ts';
import { granted, key, RESERVATION_TTL_MS } from '../../contract/budget-store.suite.ts';
import { FakeLedger } from '../../contract/fake-ledger.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { startRedisCluster } from '../../support/redis-cluster.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { openTestStore } from '../../support/redis-store.ts';
import { until } from '../../support/until.ts';

const owner = { after: (hook: () => Promise<void>) => test.after(hook) };
const server = await startRedis(owner);
const { store: redis } = await openTestStore(owner, server.address);

const alone: Workers = {
  id: 'alone',
  count: () => 1,
  life: () => '',
  roll: async () => ({ ids: ['alone'], isComplete: true }),
};

interface Surroundings {
  readonly connection: RedisStore;
  readonly workers: Workers;
  readonly clock: Clock;
  readonly ledger: FakeLedger;
  readonly history: SharedSpending;
  /** Whose tenants it serves; otherwise it has its own. */
  readonly run: number;
}

let opened = 0;
/** A store with a ledger and tenants of its own; by default time stands still. */
function open({
  connection = redis,
  workers = alone,
  clock = createManualClock(),
  ledger = new FakeLedger(),
  history = ledger,
  run = opened + 1,
}: Partial<Surroundings> = {}) {
  opened += 1;
  const nth = opened;
  let tokens = 0;
  const store = createRedisBudgetStore({
    ...{ redis: connection, workers, clock, log: silentLog, history },
    ...(clock !== systemClock ? { nowMs: () => Math.floor(clock.wallMs()) } : {}),
    nextToken: () => {
      tokens += 1;
      return `load-${nth}-${tokens}`;
    },
    reservationTtlMs: RESERVATION_TTL_MS,
    leaseMs: 10_000_000,
  });
  test.after(() => store.close());
  const scope = key('a', 1000);
  const nameOf = (tenant: string) => `${tenant}-${run}`;
  const keyOf = (kind: string, tenant: string) => `esclusa:${kind}1:{t:${nameOf(tenant)}}:key:a`;
  let exchanges = 0;
  return {
    ...{ ledger, store, scope, run, keyOf },
    account: (tenant: string) => keyOf('budget', tenant),
    reserve(tenant: string, amountNanousd: number) {
      exchanges += 1;
      const spender = { tenant: nameOf(tenant), exchangeId: `req_${nth}_${exchanges}` };
      return store.reserve([scope], amountNanousd, spender);
    },
    figures: (tenant: string) => store.figures(scope, nameOf(tenant)),
  };
}

test('an account that is broken lets no other be overspent that is asked for with it', async () => {
  const { store, account, reserve } = open();
  for (const tenant of ['good', 'bad']) granted(await reserve(tenant, 0)).release();
  await store.flush();
  await server.cli('del', account('bad'));
  await server.cli('lpush', account('bad'), 'x');

  const [first, broken] = await Promise.all([reserve('good', 600), reserve('bad', 1)]);
  const second = await reserve('good', 600);

  assert.deepEqual([first.kind, broken.kind], ['granted', 'unavailable']);
  assert.equal(second.kind, 'exceeded');
});

test('right after a restart of the server nothing is granted by what it lost', async (t) => {
  const own = await startRedis(owner, { appendonly: true });
  const { store: connection } = await openTestStore(t, own.address);
  const workers = createWorkers({ redis: connection, clock: systemClock, id: 'one' });
  await workers.start();
  const ledger = new FakeLedger();
  const { store, reserve, account } = open({ connection, workers, ledger, clock: systemClock });
  t.after(async () => {
    await store.close();
    await workers.stop();
  });
  await until('the register is complete', async () => (await workers.roll()).isComplete);
  granted(await reserve('acme', 900)).settle(900);
  ledger.append('key:a', 900);
  await store.flush();
  await own.cli('hset', account('acme'), 's', '1'); // as if the last writes had been lost

  await own.restart();
  const decision = await until('budgets are decided again', async () => {
    const one = await reserve('acme', 500);
    return one.kind === 'unavailable' ? null : one;
  });

  assert.equal(decision.kind, 'exceeded');
});

test('in a cluster it is the life of the node that counts on which an account is', async (t) => {
  const cluster = await startRedisCluster(t);
  const { store: connection } = await openTestStore(t, cluster.address);
  const workers = createWorkers({ redis: connection, clock: systemClock, id: 'one' });
  await workers.start();
  const ledger = new FakeLedger();
  const { store, reserve, account } = open({ connection, workers, ledger, clock: systemClock });
  t.after(async () => {
    await store.close();
    await workers.stop();
  });
  await until('the register is complete', async () => (await workers.roll()).isComplete);
  const ofRegister = async (node: TestRedis) => (await node.cli('keys', '*{workers}*')) !== '';
  const isElsewhere = async (tenant: string) => {
    granted(await reserve(tenant, 900)).settle(900);
    for (const node of cluster.nodes) {
      const isThere = (await node.cli('exists', account(tenant))) === '1';
      if (isThere && !(await ofRegister(node))) return { node, tenant };
    }
    return null;
  };
  let tenants = 0;
  const { node, tenant } = await until('an account is on another node', () => {
    tenants += 1;
    return isElsewhere(`tenant-${tenants}`);
  });
  ledger.append('key:a', 900);
  await store.flush();
  await node.cli('hset', account(tenant), 's', '1');
  await node.cli('save');

  await node.restart();
  const decision = await until('budgets are decided again', async () => {
    const one = await reserve(tenant, 500);
    return one.kind === 'unavailable' ? null : one;
  });

  assert.equal(decision.kind, 'exceeded');
});

test('a process whose word comes after the census loses no cost', async () => {
  const ledger = new FakeLedger();
  let isLate = false;
  const finish: (() => void)[] = [];
  const history: SharedSpending = {
    spending: (question) => ledger.spending(question),
    settled: () =>
      new Promise((done) => {
        if (isLate) finish.push(done);
        else done();
      }),
  };
  const late = open({ ledger, history, clock: systemClock });
  // The late one was silent for so long that nobody waits for it.
  const roll = async () => ({ ids: ['other'], isComplete: finish.length > 0 });
  const workers = { id: 'other', count: () => 2, life: () => '', roll };
  const other = open({ workers, ledger, run: late.run, clock: systemClock });
  const held = granted(await late.reserve('acme', 300));
  const keys = ['budget', 'held', 'amounts'].map((kind) => late.keyOf(kind, 'acme'));
  await server.cli('del', ...keys);

  isLate = true;
  granted(await other.reserve('acme', 0)).release();
  isLate = false;
  for (const done of finish) done();
  held.settle(250);
  ledger.append('key:a', 250);

  await until('the cost counts', async () => {
    await Promise.all([late.store.flush(), other.store.flush()]);
    return (await other.figures('acme'))?.spentNanousd === 250;
  });
});

test('what was never sent leaves nothing to be given back', async (t) => {
  const own = await startRedis(t);
  const down = await openTestStore(t, own.address, { hotMs: 100, backgroundMs: 100 });
  const { store, reserve } = open({ connection: down.store, clock: systemClock });
  granted(await reserve('acme', 1)).release();
  await store.flush();
  own.freeze();
  await until('nothing is sent any more', async () => {
    await reserve('acme', 1);
    return down.breaker() === 'open';
  });
  const before = store.waiting();

  for (let i = 0; i < 50; i += 1) assert.equal((await reserve('acme', 1)).kind, 'unavailable');

  assert.equal(store.waiting(), before);
  own.thaw();
});

test('what was recovered on another host counts where a budget was loaded before', async (t) => {
  const workers = createWorkers({ redis, clock: systemClock, id: 'here' });
  let entries = 0;
  const recovered = () => entries;
  const elsewhere = createWorkers({ redis, clock: systemClock, id: 'elsewhere', recovered });
  for (const one of [workers, elsewhere]) await one.start();
  t.after(() => Promise.all([workers.stop(), elsewhere.stop()]));
  const ledger = new FakeLedger();
  const clock = systemClock;
  const roll = async () => ({ ids: ['here'], isComplete: true });
  const { store, reserve } = open({ workers: { ...workers, roll }, ledger, clock });
  granted(await reserve('acme', 900)).settle(100);
  ledger.append('key:a', 100);
  granted(await reserve('acme', 500)).release();
  await store.flush();

  ledger.append('key:a', 700);
  entries = 3;

  await until('it counts', async () => {
    const decision = await reserve('acme', 500);
    if (decision.kind === 'granted') decision.reservation.release();
    return decision.kind === 'exceeded';
  });
  assert.equal(ledger.loads.length, 2);
});

test('who learns later that entries were recovered loads nothing again', async () => {
  const ledger = new FakeLedger();
  const at = (life: string, run?: number) => {
    const workers = { ...alone, life: () => life };
    return open({ workers, ledger, ...(run === undefined ? {} : { run }) });
  };
  const before = at('server.1000');
  granted(await before.reserve('acme', 1)).release();
  granted(await at('server', before.run).reserve('acme', 1)).release();
  const after = at('server.2000', before.run);
  granted(await after.reserve('acme', 1)).release();
  assert.equal(ledger.loads.length, 2);

  for (let i = 0; i < 5; i += 1) {
    for (const one of [before, after]) granted(await one.reserve('acme', 1)).release();
  }
  assert.equal(ledger.loads.length, 2);

  granted(await at('other.3000', before.run).reserve('acme', 1)).release();
  assert.equal(ledger.loads.length, 3);
});

test('what is no call for a census is not answered, and ends nothing', async () => {
  const { store, reserve } = open({ clock: systemClock });
  granted(await reserve('acme', 900)).release();
  const calls = ['no call', '', 'null', '[]', '{}', '{"token":1,"tenant":{},"scopeId":[]}'];
  for (const call of calls) {
    const heard = Number(await server.cli('publish', 'esclusa:budget-census', call));
    assert.ok(heard > 0, 'the store listens');
  }

  granted(await reserve('acme', 900)).release();
  await store.flush();
});

test('the register is forgotten before anybody in it is', async () => {
  const workers = createWorkers({ redis, clock: systemClock, id: 'silent' });
  await workers.roll();

  const keptMs = Number(await server.cli('pttl', 'esclusa:{workers}:born'));

  assert.ok(keptMs > 0 && keptMs <= 4000, `${keptMs}`);
});

test('what is reserved counts again when its process comes back after a long silence', async () => {
  const ledger = new FakeLedger();
  const clock = systemClock;
  const registered = ['other'];
  const roll = async () => ({ ids: registered, isComplete: true });
  const workers = { count: () => 2, life: () => '', roll };
  const silent = open({ workers: { ...workers, id: 'silent' }, ledger, clock });
  const other = open({ workers: { ...workers, id: 'other' }, ledger, clock, run: silent.run });
  registered.push('silent');
  const held = granted(await silent.reserve('acme', 900));
  registered.pop();
  const keys = ['budget', 'held', 'amounts'].map((kind) => silent.keyOf(kind, 'acme'));
  await server.cli('del', ...keys); // as after the end of its lease
  granted(await other.reserve('acme', 900)).release();
  await other.store.flush();

  registered.push('silent');
  await silent.store.renew();

  assert.equal((await other.reserve('acme', 200)).kind, 'exceeded');
  held.release();
  await silent.store.flush();
  granted(await other.reserve('acme', 1000)).release();
});

test('what ends while its lease is renewed makes nobody load anything', async () => {
  const { store, reserve, ledger } = open({ clock: systemClock });
  for (let i = 0; i < 30; i += 1) {
    const held = await Promise.all(Array.from({ length: 8 }, () => reserve('acme', 1)));
    const renewing = store.renew();
    for (const one of held) granted(one).release();
    await Promise.all([reserve('acme', 1), renewing]);
    await store.flush();
  }

  assert.equal(ledger.loads.length, 1);
});

for (const [step, times, what, isSent] of [
  ['finish', 2, 'not sent', false],
  ['finish', 2, 'not answered', true],
  ['begin', 1, 'not answered', true],
] as const) {
  test(`a load whose step to ${step} was ${what} keeps nobody waiting for long`, async () => {
    let failures = 0;
    const connection = new Proxy(redis, {
      get(target, name) {
        if (name !== 'background') {
          const value: unknown = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        }
        return async (...[op, run, options]: Parameters<RedisStore['background']>) => {
          const isFailing = op === `budgets.${step}` && failures < times;
          if (isFailing) failures += 1;
          if (isFailing && !isSent) throw new RedisFailure('timeout', op, 'not sent');
          const answer = await redis.background(op, run, options);
          if (isFailing) throw new RedisFailure('timeout', op, 'not answered');
          return answer;
        };
      },
    });
    const { reserve } = open({ connection, clock: systemClock });

    const decided = await until(
      'it is decided',
      async () => {
        const decision = await reserve('acme', 900);
        return decision.kind === 'unavailable' ? null : decision;
      },
      5000,
    );

    granted(decided);
    assert.equal(failures, times);
  });
}
