/**
 * The cache stage over several processes: one call for all, from whichever process it is asked,
 * and what becomes of those who follow when a leader fails, leaves or dies. Calls are answered
 * by hand; processes share a store and flights in memory.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Found } from '../../../src/gateway/caching/tiers.ts';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { NO_CACHE_CONTROL } from '../../../src/gateway/model/request.ts';
import { obtain } from '../../../src/gateway/pipeline/flight-source.ts';
import { SHARING } from '../../../src/gateway/pipeline/fly.ts';
import type { Shared } from '../../../src/gateway/pipeline/shared-answer.ts';
import { entryAt } from '../../contract/cache-store.suite.ts';
import { createMemoryFleet } from '../../support/memory-flights.ts';
import { until } from '../../support/until.ts';
import { type Asked, createFleet, read } from './cache-fleet.ts';
import { frame, LAST_FRAME, plainAnswer } from './fakes.ts';

const STREAM = { stream: true } as const;
const OTHER = { body: { messages: [] } };
/** Where the manual clock begins. */
const NOW_MS = 1_700_000_000_000;

function text(said: string, changes: object = {}) {
  return frame({ bytes: Buffer.from(said), producedCharacters: said.length, ...changes });
}

function plain(said: string, changes: object = {}) {
  return plainAnswer({ bytes: Buffer.from(said), ...changes });
}

/** Three processes, the first of which has made the call. */
async function led(request: object, policy = {}) {
  const fleet = createFleet(policy);
  const processes = [fleet.start(), fleet.start(), fleet.start()] as const;
  const leader = processes[0].ask(request);
  const call = await fleet.call(1);
  return { ...fleet, processes, leader, made: call };
}

/** Reads on until the test asks what came. */
function watch(asked: Asked) {
  const seen = { text: '' };
  const ended = (async () => {
    const answer = await asked.answer;
    assert.ok(answer.kind === 'stream');
    for await (const { bytes, terminal } of answer.frames) {
      seen.text += bytes;
      if (terminal !== null) return 'ended';
    }
    return 'stopped';
  })();
  ended.catch(() => undefined);
  return { seen, ended };
}

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await setImmediate();
}

test('a plain call of one process answers all, and one pays', async () => {
  const { processes, leader, made, calls } = await led({});
  const others = processes.flatMap((process) => [process.ask(), process.ask()]);
  await quiet();

  made.answer(plain('said'));

  assert.equal((await read(leader)).text, 'said');
  for (const asked of others) {
    assert.equal((await read(asked)).text, 'said');
    assert.equal(asked.exchange.cache.status, 'JOIN');
    assert.equal(asked.exchange.provider, 'up');
  }
  assert.equal(calls.length, 1);
});

test('a stream of one process is given to all as it flows, from its beginning', async () => {
  const { processes, leader, made, calls } = await led(STREAM);
  made.feed(text('a', { sequence: 4 }));
  const own = watch(leader);
  await until('the first', () => own.seen.text === 'a');
  const follower = watch(processes[1].ask(STREAM));
  await until('the prefix', () => follower.seen.text === 'a');

  made.feed(text('b'));
  await until('the tail', () => follower.seen.text === 'ab');
  const late = watch(processes[2].ask(STREAM));
  made.feed(text('c', { finishReasons: ['stop'] }), LAST_FRAME);

  for (const { seen, ended } of [own, follower, late]) {
    assert.equal(await ended, 'ended');
    assert.equal(seen.text, 'abc');
  }
  assert.equal(calls.length, 1);
});

test('what may not be stored is given to those who joined all the same', async () => {
  for (const request of [{}, STREAM]) {
    const { processes, leader, made, calls, whole } = await led(request);
    const follower = read(processes[1].ask(request));
    const own = read(leader);
    await quiet();

    if ('stream' in request) made.feed(text('cut', { finishReasons: ['length'] }), LAST_FRAME);
    else made.answer(plain('cut', { finishReasons: ['length'] }));

    assert.equal((await own).text, 'cut');
    assert.deepEqual([(await follower).text, (await follower).ended], ['cut', true]);
    assert.equal(calls.length, 1);
    assert.equal(whole.stats(null).entries, 0);
  }
});

test('an error reaches all processes with its code and when to try again', async () => {
  const { processes, leader, made, calls } = await led({});
  const follower = read(processes[1].ask());
  await quiet();

  made.fail(new GatewayError('upstream_rate_limited', { retryAfterMs: 700 }));

  assert.equal((await read(leader)).error?.code, 'upstream_rate_limited');
  assert.equal((await follower).error?.retryAfterMs, 700);
  assert.equal(calls.length, 1);
});

test('a leader without a budget fails alone: another process calls', async () => {
  const { processes, leader, made, call } = await led({});
  const asked = processes[1].ask();
  await quiet();

  made.fail(new GatewayError('budget_exceeded'));

  assert.equal((await read(leader)).error?.code, 'budget_exceeded');
  (await call(2)).answer(plain('said'));
  assert.equal((await read(asked)).text, 'said');
  assert.equal(asked.exchange.cache.status, 'MISS');
});

test('what fails the leading process alone fails no other: it calls itself', async () => {
  for (const request of [{}, STREAM]) {
    for (const code of ['shutting_down', 'overloaded', 'no_target_available'] as const) {
      const { processes, leader, made, call } = await led(request);
      const asked = processes[1].ask(request);
      await quiet();

      made.fail(new GatewayError(code));

      assert.equal((await read(leader)).error?.code, code);
      const again = await call(2);
      if ('stream' in request) again.feed(text('said', { finishReasons: ['stop'] }), LAST_FRAME);
      else again.answer(plain('said'));
      assert.equal((await read(asked)).text, 'said');
    }
  }
});

test('what ends the leader alone is no error of those who follow it', async () => {
  for (const request of [{}, STREAM]) {
    const { processes, leader, call } = await led(request);
    const asked = processes[1].ask(request);
    await quiet();

    leader.exchange.abort.abort(new GatewayError('credentials_invalid'));

    assert.equal((await read(leader)).error?.code, 'credentials_invalid');
    const again = await call(2);
    if ('stream' in request) again.feed(text('said', { finishReasons: ['stop'] }), LAST_FRAME);
    else again.answer(plain('said'));
    assert.equal((await read(asked)).text, 'said');
  }
});

test('a stream that is too long to be joined from afar is called anew', async () => {
  const { processes, leader, made, call } = await led(STREAM);
  const own = watch(leader);
  made.feed(text('x'.repeat(1001)));
  await until('it is beyond its bounds', () => own.seen.text.length === 1001);

  const late = processes[1].ask(STREAM);
  (await call(2)).feed(text('own', { finishReasons: ['stop'] }), LAST_FRAME);

  assert.equal((await read(late)).text, 'own');
  assert.equal(late.exchange.cache.status, 'MISS');
  made.feed(LAST_FRAME);
  assert.equal(await own.ended, 'ended');
});

test('of many who wait for a silent target none calls again without most of its time', async () => {
  const fleet = createFleet();
  const { ask } = fleet.start({ alone: true });
  const first = ask();
  await fleet.call(1);
  fleet.clock.advance(4_000);
  const early = ask();
  fleet.clock.advance(4_000);
  const late = ask();
  await quiet();

  fleet.calls[0]?.fail(new GatewayError('deadline_exceeded'));

  assert.equal((await read(first)).error?.code, 'deadline_exceeded');
  (await fleet.call(2)).fail(new GatewayError('deadline_exceeded'));
  fleet.clock.advance(6_000);
  assert.equal((await read(early)).error?.code, 'deadline_exceeded');
  assert.equal((await read(late)).error?.code, 'deadline_exceeded');
  assert.equal(fleet.calls.length, 2);
});

test('who leads and then finds the answer stored lets those who follow lead', async () => {
  const { start } = createFleet();
  const { deps, ask } = start();
  const { exchange } = ask(OTHER);
  const flights = createMemoryFleet();
  const [leading, following] = [flights.process().flights, flights.process().flights];
  const looked = Promise.withResolvers<Found>();
  const store = { ...deps.store, far: () => looked.promise };
  const call = { ...{ exchange, tenant: 'default', key: 'k', lookup: true }, pleases: () => true };
  const next = () => assert.fail('it is not called');
  const own = obtain({ store, fleet: leading }, { ...call, next }, new AbortController());
  const entrance = await following.enter('default', 'k', false);
  assert.ok(entrance.kind === 'follow');

  looked.resolve({ entry: entryAt(NOW_MS, 'said'), tier: 'memory' });

  assert.equal((await own).kind, 'stored');
  const told = await entrance.feed.next(exchange.abort.signal);
  assert.deepEqual(told?.at(-1)?.kind, 'failed');
  entrance.feed.close();
  assert.equal((await following.enter('default', 'k', false)).kind, 'lead');
});

test('a leader whose client leaves goes on while another process follows', async () => {
  const { processes, leader, made } = await led(STREAM);
  made.feed(text('a'));
  const own = read(leader);
  const follower = watch(processes[1].ask(STREAM));
  await until('the prefix', () => follower.seen.text === 'a');

  leader.leave();
  await quiet();
  assert.equal(made.exchange.work.signal.aborted, false);
  made.feed(text('b', { finishReasons: ['stop'] }), LAST_FRAME);

  assert.equal(await follower.ended, 'ended');
  assert.equal((await own).characters, 2);
});

test('a leader that is ended while another process follows is told so at once', async () => {
  const { processes, leader, made } = await led(STREAM);
  made.feed(text('a'));
  const answer = await leader.answer;
  assert.ok(answer.kind === 'stream');
  const frames = answer.frames[Symbol.asyncIterator]();
  await frames.next();
  const follower = watch(processes[1].ask(STREAM));
  await until('the prefix', () => follower.seen.text === 'a');

  leader.exchange.abort.abort(new GatewayError('credentials_invalid'));

  assert.equal((await frames.next()).value?.unread, true);
  made.feed(text('b', { finishReasons: ['stop'] }), LAST_FRAME);
  assert.equal(await follower.ended, 'ended');
  const account = (await frames.next()).value;
  assert.deepEqual([account?.unread, account?.producedCharacters], [true, 1]);
});

test('when all followers have left too, the call is cancelled', async () => {
  const { processes, leader, made } = await led(STREAM);
  made.feed(text('a'));
  const own = read(leader);
  const asked = processes[1].ask(STREAM);
  const follower = watch(asked);
  await until('the prefix', () => follower.seen.text === 'a');
  leader.leave();
  await quiet();

  asked.leave();

  await until('the call is cancelled', () => made.exchange.work.signal.aborted);
  assert.equal((await own).characters, 1);
});

test('a follower that leaves changes nothing for the others of its process', async () => {
  const { processes, leader, made } = await led(STREAM);
  made.feed(text('a'));
  watch(leader);
  const first = processes[1].ask(STREAM);
  const second = watch(processes[1].ask(STREAM));
  const gone = read(first);
  await until('the prefix', () => second.seen.text === 'a');

  first.leave();
  made.feed(text('b', { finishReasons: ['stop'] }), LAST_FRAME);

  assert.equal(await second.ended, 'ended');
  assert.equal(second.seen.text, 'ab');
  assert.equal((await gone).ended, true);
});

test('a dead leader of a plain call is replaced by one, and the others follow it', async () => {
  const { processes, calls, call } = await led({});
  const [dead, b, c] = processes;
  const others = [b.ask(), b.ask(), c.ask(), c.ask()];
  await quiet();

  dead.kill();
  (await call(2)).answer(plain('said'));

  for (const asked of others) assert.equal((await read(asked)).text, 'said');
  assert.equal(calls.length, 2);
  const statuses = others.map(({ exchange }) => exchange.cache.status).toSorted();
  assert.deepEqual(statuses, ['JOIN', 'JOIN', 'JOIN', 'MISS']);
});

test('a stream whose leader died goes on where the new one begins like it', async () => {
  const { processes, leader, made, call, calls } = await led(STREAM);
  const [dead, b, c] = processes;
  made.feed(text('one '), text('two '));
  watch(leader);
  const asked = [b.ask(STREAM), c.ask(STREAM)];
  const followers = asked.map(watch);
  await until('both have it', () => followers.every(({ seen }) => seen.text === 'one two '));

  dead.kill();
  const again = await call(2);
  again.feed(text('one tw'), text('o three', { finishReasons: ['stop'] }), LAST_FRAME);

  for (const { seen, ended } of followers) {
    assert.equal(await ended, 'ended');
    assert.equal(seen.text, 'one two three');
  }
  assert.equal(calls.length, 2);
  assert.deepEqual(asked.map(({ exchange }) => exchange.cache.status).toSorted(), ['JOIN', 'MISS']);
});

test('a stream taken over is stored whole', async () => {
  const { processes, leader, made, call, calls } = await led(STREAM);
  made.feed(text('one '));
  watch(leader);
  const follower = watch(processes[1].ask(STREAM));
  await until('it has the prefix', () => follower.seen.text === 'one ');
  processes[0].kill();
  (await call(2)).feed(text('one two', { finishReasons: ['stop'] }), LAST_FRAME);
  await follower.ended;

  const later = processes[2].ask(STREAM);

  assert.equal((await read(later)).text, 'one two');
  assert.equal(later.exchange.cache.status, 'HIT');
  assert.equal(calls.length, 2);
});

test('a stream whose leader died ends with an error where the new bytes are others', async () => {
  const others = ['uno ', 'one', 'one tw', 'one tvo', 'One two', 'one tvo and more'];
  for (const other of others) {
    const { processes, leader, made, call } = await led(STREAM);
    made.feed(text('one '), text('two'));
    watch(leader);
    const asked = processes[1].ask(STREAM);
    const follower = watch(asked);
    await until('it has the prefix', () => follower.seen.text === 'one two');

    processes[0].kill();
    (await call(2)).feed(text(other, { finishReasons: ['stop'] }), LAST_FRAME);

    await assert.rejects(follower.ended, { code: 'shared_call_lost' });
    assert.equal(follower.seen.text, 'one two');
  }
});

test('a follower that has nothing yet makes its own call when the store is gone', async () => {
  const { processes, call } = await led({});
  const asked = processes[1].ask();
  await quiet();
  processes[1].kill();
  processes[1].cutOff(true);
  processes[0].kill();

  (await call(2)).answer(plain('own'));

  assert.equal((await read(asked)).text, 'own');
  assert.equal(asked.exchange.cache.status, 'MISS');
});

test('a process cut off from the others answers by itself', async () => {
  const fleet = createFleet();
  const process = fleet.start();
  process.kill();
  process.cutOff(true);
  const asked = process.ask();
  (await fleet.call(1)).answer(plain('own'));
  assert.equal((await read(asked)).text, 'own');

  assert.equal((await read(process.ask())).text, 'own');
  assert.equal(fleet.calls.length, 1);
});

test('whoever follows is let go when its time is over', async () => {
  const { processes, clock } = await led({});
  const asked = processes[1].ask();
  await quiet();

  clock.advance(10_000);

  assert.equal((await read(asked)).error?.code, 'deadline_exceeded');
});

test('what one process stores is a hit of the shared tier in another, for all', async () => {
  const { processes, leader, made, calls } = await led(STREAM);
  made.feed(text('said', { finishReasons: ['stop'] }), LAST_FRAME);
  await read(leader);
  await quiet();

  const all = [processes[1].ask(STREAM), processes[1].ask(STREAM)];

  for (const asked of all) {
    assert.equal((await read(asked)).text, 'said');
    assert.deepEqual([asked.exchange.cache.status, asked.exchange.cache.tier], ['HIT', 'redis']);
  }
  const later = processes[1].ask(STREAM);
  await read(later);
  assert.equal(later.exchange.cache.tier, 'memory');
  assert.equal(calls.length, 1);
});

test('only-if-cached finds what another process stored, and calls for nothing', async () => {
  const { processes, leader, made, calls } = await led({});
  made.answer(plain('said'));
  await read(leader);
  await quiet();
  const cacheControl = { ...NO_CACHE_CONTROL, onlyIfCached: true };

  const found = processes[1].ask({ cacheControl });
  const none = processes[1].ask({ cacheControl, ...OTHER });
  const narrow = { ...cacheControl, noCache: true };

  assert.equal((await read(found)).text, 'said');
  assert.equal((await read(none)).error?.code, 'cache_only_miss');
  const refused = await read(processes[2].ask({ cacheControl: narrow }));
  assert.equal(refused.error?.code, 'cache_only_miss');
  assert.equal(calls.length, 1);
});

test('a stale answer of the shared tier stands in where every target is down', async () => {
  const { processes, leader, made, call, clock } = await led({});
  made.answer(plain('said'));
  await read(leader);
  await quiet();
  clock.advance(101_000);
  const asked = processes[1].ask();

  (await call(2)).fail(new GatewayError('no_target_available'));

  assert.equal((await read(asked)).text, 'said');
  assert.equal(asked.exchange.cache.status, 'STALE');
});

test('a stale answer stands in where the targets are silent to the end', async () => {
  const { processes, leader, made, call, clock } = await led({});
  made.answer(plain('said'));
  await read(leader);
  await quiet();
  clock.advance(101_000);
  const asked = processes[0].ask();
  await call(2);

  clock.advance(10_000);

  assert.equal((await read(asked)).text, 'said');
  assert.deepEqual(asked.exchange.cache.detail, 'deadline_exceeded');
});

test('a stream that was stored before its leader died is read on from the cache', async () => {
  const { processes, leader, made, whole, calls } = await led(STREAM);
  made.feed(text('one '));
  watch(leader);
  const asked = processes[1].ask(STREAM);
  const follower = watch(asked);
  await until('it has the prefix', () => follower.seen.text === 'one ');
  const { deps } = processes[2];
  const { exchange } = asked;
  assert.ok(exchange.route !== null);
  const key = deps.keys.keyOf('default', exchange.route, exchange.request);
  const terminal = LAST_FRAME.terminal;
  const generation = whole.generation('default');
  whole.set('default', key, entryAt(NOW_MS, 'one two', { terminal, generation }));

  processes[0].kill();

  assert.equal(await follower.ended, 'ended');
  assert.equal(follower.seen.text, 'one two');
  assert.equal(calls.length, 1);
});

test('a stream beyond its bounds whose leader died ends with an error', async () => {
  const { processes, leader, made } = await led(STREAM);
  made.feed(text('a'));
  watch(leader);
  const follower = watch(processes[1].ask(STREAM));
  await until('it has the prefix', () => follower.seen.text === 'a');
  made.feed(text('x'.repeat(1001)));
  await until('it has more than is held', () => follower.seen.text.length === 1002);

  processes[0].kill();

  await assert.rejects(follower.ended, { code: 'shared_call_lost' });
});

test('who cannot be given a stream that is under way makes its own call', async () => {
  const fleet = createFleet();
  const full = { ...SHARING, forJoiner: (shared: Shared) => ({ ...shared, answer: null }) };
  const { ask } = fleet.start({ alone: true, sharing: full });
  const first = read(ask(STREAM));
  const second = read(ask(STREAM));
  (await fleet.call(1)).feed(text('one', { finishReasons: ['length'] }), LAST_FRAME);
  assert.equal((await first).text, 'one');

  (await fleet.call(2)).feed(text('two', { finishReasons: ['length'] }), LAST_FRAME);

  assert.equal((await second).text, 'two');
});
