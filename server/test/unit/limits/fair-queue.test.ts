/**
 * Fairness between tenants, over random histories.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FairQueue } from '../../../src/gateway/limits/fair-queue.ts';

const WEIGHTS: Readonly<Record<string, number>> = { a: 1, b: 2, c: 5, d: 0.5 };
const TENANTS = Object.keys(WEIGHTS);
const weightOf = (tenant: string): number => WEIGHTS[tenant] ?? 1;

interface Item {
  readonly tenant: string;
  readonly number: number;
}

test('tenants that always want more share the places by their weights', () => {
  fc.assert(
    fc.property(fc.integer({ min: 17, max: 120 }), (capacity) => {
      const queue = new FairQueue<string>(weightOf);
      for (const tenant of TENANTS) {
        for (let i = 0; i < capacity; i += 1) queue.add(tenant, `${tenant}${i}`);
      }
      const running = new Map<string, number>();
      for (let i = 0; i < capacity; i += 1) {
        const tenant = queue.next()?.[0] ?? '';
        running.set(tenant, (running.get(tenant) ?? 0) + 1);
      }

      const loads = TENANTS.map((tenant) => (running.get(tenant) ?? 0) / weightOf(tenant));
      for (const [i, load] of loads.entries()) {
        for (const [j, other] of loads.entries()) {
          // Nobody has more than one place that another should have had before.
          const before = load - 1 / weightOf(TENANTS[i] ?? '');
          assert.ok(before <= other + 1e-9, `${TENANTS[i]} over ${TENANTS[j]}: ${loads}`);
        }
      }
    }),
    { numRuns: 300 },
  );
});

test('a tenant that floods does not delay another beyond the next free place', () => {
  const queue = new FairQueue<string>(() => 1);
  for (let i = 0; i < 10; i += 1) queue.start('flood');
  for (let i = 0; i < 1000; i += 1) queue.add('flood', `flood ${i}`);
  queue.add('quiet', 'quiet 0');

  queue.end('flood');

  assert.equal(queue.next(), 'quiet 0');
});

test('equals take turns, and within a tenant the first come is first', () => {
  const queue = new FairQueue<string>(() => 1);
  for (const item of ['a0', 'a1', 'a2', 'b0', 'b1', 'c0']) queue.add(item[0] ?? '', item);

  const served: (string | undefined)[] = [];
  for (let i = 0; i < 6; i += 1) {
    const item = queue.next();
    served.push(item);
    queue.end(item?.[0] ?? ''); // one place, given back at once
  }

  assert.deepEqual(served, ['a0', 'b0', 'c0', 'a1', 'b1', 'a2']);
});

type Step = readonly [kind: 'come' | 'free' | 'give up', pick: number];

test('over random histories no place is lost, nobody is served twice or forgotten', () => {
  const step: fc.Arbitrary<Step> = fc.tuple(
    fc.constantFrom('come', 'come', 'free', 'give up'),
    fc.nat(999),
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 120, size: 'max' }),
      fc.integer({ min: 1, max: 5 }),
      (steps, capacity) => {
        const queue = new FairQueue<Item>(weightOf);
        const running: Item[] = [];
        const waiting: Item[] = [];
        const served = new Set<number>();
        const serve = (item: Item): void => {
          assert.ok(!served.has(item.number), 'served once');
          const first = waiting.find(({ tenant }) => tenant === item.tenant);
          assert.equal(item, first, 'the first of its tenant');
          served.add(item.number);
          waiting.splice(waiting.indexOf(item), 1);
          running.push(item);
        };
        for (const [number, [kind, pick]] of steps.entries()) {
          if (kind === 'come') {
            const item = { tenant: TENANTS[pick % TENANTS.length] ?? '', number };
            waiting.push(item);
            queue.add(item.tenant, item);
          } else if (kind === 'give up' && waiting.length > 0) {
            const [item] = waiting.splice(pick % waiting.length, 1) as [Item];
            assert.equal(queue.remove(item.tenant, item), true);
            assert.equal(queue.remove(item.tenant, item), false);
          } else if (kind === 'free' && running.length > 0) {
            const [item] = running.splice(pick % running.length, 1) as [Item];
            queue.end(item.tenant);
          }
          while (queue.running < capacity) {
            const next = queue.next();
            if (next === undefined) break;
            serve(next);
          }
          assert.equal(queue.running, running.length);
          assert.equal(queue.waiting, waiting.length);
          assert.ok(running.length === capacity || waiting.length === 0, 'no place stays empty');
        }
      },
    ),
    { numRuns: 1000 },
  );
});

test('whoever waits is served after at most as many turns as there are equals and places', () => {
  const capacity = 4;
  const queue = new FairQueue<string>(() => 1);
  const running: string[] = [];
  for (const tenant of ['a', 'b', 'c', 'd', 'e', 'f']) {
    for (let i = 0; i < 500; i += 1) queue.add(tenant, tenant);
  }
  const run = (): void => {
    const item = queue.next();
    if (item !== undefined) running.push(item);
  };
  for (let i = 0; i < capacity; i += 1) run();
  queue.add('late', 'late');
  let turns = 0;
  while (!running.includes('late')) {
    turns += 1;
    queue.end(running.shift() ?? '');
    run();
    assert.ok(turns <= capacity + 7, `${turns} turns`);
  }
});
