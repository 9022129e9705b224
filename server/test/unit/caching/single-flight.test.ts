/**
 * One call for all who ask for the same at once. The work is held and let go by the test;
 * nothing is timed.
 */
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  concernsLeaderOnly,
  createSingleFlight,
  type Flight,
} from '../../../src/gateway/caching/single-flight.ts';
import {
  ERROR_CATALOGUE,
  type ErrorCode,
  GatewayError,
} from '../../../src/gateway/model/errors.ts';

/** Work that ends when the test says so, and with the reason when it is aborted. */
function heldWork() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const controllers: AbortController[] = [];
  return {
    controllers,
    resolve,
    reject,
    work(abort: AbortController): Promise<string> {
      controllers.push(abort);
      if (abort.signal.aborted) reject(abort.signal.reason);
      abort.signal.addEventListener('abort', () => reject(abort.signal.reason));
      return promise;
    },
  };
}

function caller() {
  const abort = new AbortController();
  const left = new GatewayError('client_closed');
  return { signal: abort.signal, left, leave: () => abort.abort(left) };
}

function neverCalled(): Promise<string> {
  return assert.fail('a joiner does no work');
}

function settle(flight: Flight<string>): Promise<unknown> {
  return flight.answer.catch((error: unknown) => error);
}

test('twenty callers of one key cause one call and get its answer', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const leader = flights.join('k', caller().signal, held.work);

  const joiners = Array.from({ length: 19 }, () => flights.join('k', caller().signal, neverCalled));
  held.resolve('answer');

  assert.equal(leader.role, 'leader');
  assert.equal(await leader.answer, 'answer');
  for (const joiner of joiners) {
    assert.equal(joiner.role, 'joiner');
    assert.equal(await joiner.answer, 'answer');
  }
  assert.equal(held.controllers.length, 1);
});

test('another key is another call', async () => {
  const flights = createSingleFlight<string>();
  flights.join('a', caller().signal, heldWork().work);

  const other = flights.join('b', caller().signal, async () => 'b');

  assert.equal(other.role, 'leader');
  assert.equal(await other.answer, 'b');
});

test('a caller after the end is a leader again', async () => {
  const flights = createSingleFlight<string>();
  await flights.join('k', caller().signal, async () => 'first').answer;

  const second = flights.join('k', caller().signal, async () => 'second');

  assert.equal(second.role, 'leader');
  assert.equal(await second.answer, 'second');
});

test('an error of the work reaches everyone as the same error, and is not kept', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const error = new GatewayError('upstream_failed');
  const all = [
    flights.join('k', caller().signal, held.work),
    flights.join('k', caller().signal, neverCalled),
    flights.join('k', caller().signal, neverCalled),
  ].map(settle);

  held.reject(error);

  for (const outcome of await Promise.all(all)) assert.equal(outcome, error);
  assert.equal(flights.join('k', caller().signal, async () => 'next').role, 'leader');
});

test('work that throws at once fails its leader and leaves no flight behind', async () => {
  const flights = createSingleFlight<string>();
  const error = new Error('at once');

  const leader = flights.join('k', caller().signal, () => {
    throw error;
  });

  assert.equal(await settle(leader), error);
  assert.equal(flights.join('k', caller().signal, async () => 'next').role, 'leader');
});

test('a leader alone that leaves aborts the work at once with its reason', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const client = caller();
  const leader = flights.join('k', client.signal, held.work);

  client.leave();

  assert.equal(held.controllers[0]?.signal.reason, client.left);
  assert.equal(await settle(leader), client.left);
});

test('a leader that leaves stays for those who wait, and is given the answer it pays', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const client = caller();
  const leader = flights.join('k', client.signal, held.work);
  const joiner = flights.join('k', caller().signal, neverCalled);

  client.leave();
  assert.equal(held.controllers[0]?.signal.aborted, false);
  held.resolve('answer');

  assert.equal(await joiner.answer, 'answer');
  assert.equal(await leader.answer, 'answer');
});

test('work whose leader left can still be joined', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const client = caller();
  const leader = flights.join('k', client.signal, held.work);
  flights.join('k', caller().signal, neverCalled).answer.catch(() => undefined);
  client.leave();

  const late = flights.join('k', caller().signal, neverCalled);
  held.resolve('answer');

  assert.equal(await late.answer, 'answer');
  await leader.answer;
});

test('when the leader and then the last joiner leave, the work is aborted', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const client = caller();
  const others = [caller(), caller()];
  const leader = settle(flights.join('k', client.signal, held.work));
  const joiners = others.map((one) => settle(flights.join('k', one.signal, neverCalled)));

  client.leave();
  others[0]?.leave();
  assert.equal(held.controllers[0]?.signal.aborted, false);
  others[1]?.leave();

  assert.equal(held.controllers[0]?.signal.reason, client.left);
  assert.equal(await leader, client.left);
  assert.deepEqual(
    await Promise.all(joiners),
    others.map((one) => one.left),
  );
});

test('a joiner that leaves is released at once, and nobody notices', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const leaving = caller();
  const leader = flights.join('k', caller().signal, held.work);
  const joiner = flights.join('k', leaving.signal, neverCalled);

  leaving.leave();

  assert.equal(await settle(joiner), leaving.left);
  assert.equal(held.controllers[0]?.signal.aborted, false);
  held.resolve('answer');
  assert.equal(await leader.answer, 'answer');
});

test('work that was given up is not joined: the next caller leads', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const stuck = Promise.withResolvers<string>();
  const client = caller();
  const deaf = flights.join('k', client.signal, (abort) => {
    held.controllers.push(abort);
    return stuck.promise;
  });
  client.leave();

  const next = flights.join('k', caller().signal, async () => 'next');

  assert.equal(next.role, 'leader');
  assert.equal(await next.answer, 'next');
  stuck.resolve('late');
  assert.equal(await deaf.answer, 'late');
});

test('work that ends after it was given up leaves the next flight in place', async () => {
  const flights = createSingleFlight<string>();
  const stuck = Promise.withResolvers<string>();
  const client = caller();
  const deaf = flights.join('k', client.signal, () => stuck.promise);
  client.leave();
  const held = heldWork();
  const next = flights.join('k', caller().signal, held.work);

  stuck.resolve('late');
  await deaf.answer;
  const joiner = flights.join('k', caller().signal, neverCalled);
  held.resolve('answer');

  assert.equal(joiner.role, 'joiner');
  assert.equal(await joiner.answer, 'answer');
  await next.answer;
});

test('work that aborts itself fails everyone, and whoever comes next leads', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();
  const all = [
    flights.join('k', caller().signal, held.work),
    flights.join('k', caller().signal, neverCalled),
  ].map(settle);
  const late = new GatewayError('deadline_exceeded');

  held.controllers[0]?.abort(late);
  const next = flights.join('k', caller().signal, async () => 'next');

  assert.equal(next.role, 'leader');
  assert.deepEqual(await Promise.all(all), [late, late]);
});

test('joiners of a leader whose budget is used up take over, one leading the others', async () => {
  const flights = createSingleFlight<string>();
  const broke = heldWork();
  const paid = heldWork();
  async function insist(): Promise<{ role: string; answer: string }> {
    for (;;) {
      const flight = flights.join('k', caller().signal, paid.work);
      try {
        return { role: flight.role, answer: await flight.answer };
      } catch (error) {
        if (flight.role !== 'joiner' || !concernsLeaderOnly(error)) throw error;
      }
    }
  }
  const first = flights.join('k', caller().signal, broke.work);
  const others = [insist(), insist(), insist()];

  broke.reject(new GatewayError('budget_exceeded'));
  assert.equal((await settle(first)) instanceof GatewayError, true);
  await new Promise((resolve) => setImmediate(resolve));
  paid.resolve('answer');

  const roles = (await Promise.all(others)).map((one) => one.role);
  assert.deepEqual(roles.sort(), ['joiner', 'joiner', 'leader']);
  assert.equal(paid.controllers.length, 1);
});

test('exactly what is about one caller concerns the leader alone', () => {
  const codes = (Object.keys(ERROR_CATALOGUE) as ErrorCode[]).filter((code) =>
    concernsLeaderOnly(new GatewayError(code)),
  );

  assert.deepEqual(codes.sort(), [
    'budget_exceeded',
    'budget_unavailable',
    'client_closed',
    'deadline_exceeded',
    'price_unknown',
  ]);
  assert.equal(concernsLeaderOnly(new Error('budget_exceeded')), false);
});

test('a caller that has left already runs alone and is told to stop', async () => {
  const flights = createSingleFlight<string>();
  const client = caller();
  client.leave();
  const held = heldWork();

  const flight = flights.join('k', client.signal, held.work);

  assert.equal(flight.role, 'alone');
  assert.equal(held.controllers[0]?.signal.reason, client.left);
  assert.equal(await settle(flight), client.left);
  assert.equal(flights.join('k', caller().signal, async () => 'x').role, 'leader');
});

test('beyond the bound on flights a call runs alone, and still ends with its caller', async () => {
  const flights = createSingleFlight<string>({ maxFlights: 1 });
  const first = heldWork();
  flights.join('a', caller().signal, first.work).answer.catch(() => undefined);
  const client = caller();
  const second = heldWork();

  const alone = flights.join('b', client.signal, second.work);
  const third = flights.join('b', caller().signal, async () => 'own');
  client.leave();

  assert.deepEqual([alone.role, third.role], ['alone', 'alone']);
  assert.equal(await settle(alone), client.left);
  assert.equal(await third.answer, 'own');
  assert.equal(flights.join('a', caller().signal, neverCalled).role, 'joiner');
});

test('beyond the bound on joiners a call runs alone, until one has left', async () => {
  const flights = createSingleFlight<string>({ maxJoiners: 1 });
  const held = heldWork();
  const leaving = caller();
  flights.join('k', caller().signal, held.work).answer.catch(() => undefined);
  const joiner = settle(flights.join('k', leaving.signal, neverCalled));

  assert.equal(flights.join('k', caller().signal, async () => 'own').role, 'alone');
  leaving.leave();
  await joiner;

  assert.equal(flights.join('k', caller().signal, neverCalled).role, 'joiner');
});

test('no listener stays on a caller’s signal, whatever its role and end', async () => {
  const flights = createSingleFlight<string>({ maxFlights: 1 });
  const callers = [caller(), caller(), caller()];
  const [leader, joiner, lone] = callers;
  assert.ok(leader && joiner && lone);

  for (const end of ['resolve', 'reject'] as const) {
    const held = heldWork();
    const all = [
      flights.join('k', leader.signal, held.work),
      flights.join('k', joiner.signal, neverCalled),
      flights.join('other', lone.signal, async () => 'own'),
    ].map(settle);
    if (end === 'resolve') held.resolve('answer');
    else held.reject(new GatewayError('upstream_failed'));
    await Promise.all(all);
  }

  for (const one of callers) assert.equal(getEventListeners(one.signal, 'abort').length, 0);
});

test('in random histories the work runs exactly while somebody wants it', async () => {
  const step = fc.tuple(fc.constantFrom('join', 'join', 'leave', 'end'), fc.nat(9));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40, size: 'max' }), async (steps) => {
      const flights = createSingleFlight<string>();
      let held: ReturnType<typeof heldWork> | null = null;
      let waiting: ReturnType<typeof caller>[] = [];
      for (const [kind, pick] of steps) {
        if (kind === 'join') {
          const client = caller();
          const fresh = heldWork();
          const flight = flights.join('k', client.signal, fresh.work);
          flight.answer.catch(() => undefined);
          assert.equal(flight.role, waiting.length === 0 ? 'leader' : 'joiner');
          if (flight.role === 'leader') held = fresh;
          waiting.push(client);
        }
        if (kind === 'leave' && waiting.length > 0) {
          const [client] = waiting.splice(pick % waiting.length, 1);
          client?.leave();
        }
        if (kind === 'end' && waiting.length > 0) {
          held?.resolve('answer');
          waiting = [];
        }
        await new Promise((resolve) => setImmediate(resolve));
        const isAborted: boolean = held?.controllers[0]?.signal.aborted ?? false;
        if (kind === 'leave' && held !== null) assert.equal(isAborted, waiting.length === 0);
        if (isAborted || waiting.length === 0) held = null;
      }
    }),
    { numRuns: 300 },
  );
});

test('an outcome that lasts is given to joiners until it says that it does not', async () => {
  const over = Promise.withResolvers<void>();
  const flights = createSingleFlight<string>({
    lasts: () => over.promise,
    forJoiner: (outcome, signal) => `${outcome} for ${signal.aborted ? 'nobody' : 'a joiner'}`,
  });
  const held = heldWork();
  const leader = flights.join('k', caller().signal, held.work);
  const early = flights.join('k', caller().signal, neverCalled);
  held.resolve('stream');

  assert.equal(await leader.answer, 'stream');
  const late = flights.join('k', caller().signal, neverCalled);
  over.resolve();
  await over.promise;

  assert.deepEqual(
    [await early.answer, await late.answer],
    ['stream for a joiner', 'stream for a joiner'],
  );
  assert.equal(flights.join('k', caller().signal, async () => 'next').role, 'leader');
});

test('a leader that leaves while its outcome lasts does not end the work', async () => {
  const flights = createSingleFlight<string>({ lasts: () => new Promise(() => undefined) });
  const held = heldWork();
  const client = caller();
  const leader = flights.join('k', client.signal, held.work);
  held.resolve('stream');
  await leader.answer;

  client.leave();

  assert.equal(held.controllers[0]?.signal.aborted, false);
});

test('an outcome whose work is given up later is joined by nobody more', async () => {
  const flights = createSingleFlight<string>({ lasts: () => new Promise(() => undefined) });
  const held = heldWork();
  const leader = flights.join('k', caller().signal, held.work);
  held.resolve('stream');
  await leader.answer;

  held.controllers[0]?.abort();

  assert.equal(flights.join('k', caller().signal, async () => 'next').role, 'leader');
});

test('a call alone is joined by nobody', async () => {
  const flights = createSingleFlight<string>();
  const held = heldWork();

  const alone = flights.alone(caller().signal, held.work);

  assert.equal(alone.role, 'alone');
  assert.equal(flights.join('k', caller().signal, async () => 'x').role, 'leader');
  held.resolve('own');
  assert.equal(await alone.answer, 'own');
});
