/**
 * What every way of sharing calls between processes promises: one leader per key, followers that
 * read all it writes in order, and nobody who waits for a leader that is gone.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../src/gateway/model/errors.ts';
import type {
  Entrance,
  FlightFeed,
  FlightLog,
  FlightRecord,
  SharedFlights,
} from '../../src/gateway/ports/shared-flights.ts';

export interface FlightsUnderTest {
  /** Another process each time. */
  process(): Promise<{ readonly flights: SharedFlights; kill(): void }>;
  /** Puts an entry into the shared cache. */
  put(tenant: string, key: string): Promise<void>;
}

type Open = (
  owner: { after(hook: () => Promise<void>): void },
  maxLogBytes?: number,
) => FlightsUnderTest | Promise<FlightsUnderTest>;

const NEVER = new AbortController().signal;

const HEAD: FlightRecord = {
  kind: 'head',
  head: {
    stream: true,
    dialect: 'openai',
    contentType: 'text/x; charset=utf-8',
    provider: 'up',
    providerModel: 'm',
  },
};
const END: FlightRecord = { kind: 'end', terminal: Buffer.from('data: [DONE]\n\n') };

function piece(text: string, sequence: number | null = null): FlightRecord {
  return { kind: 'piece', bytes: Buffer.from(text), sequence };
}

async function lead(flights: SharedFlights, tenant = 't', key = 'k'): Promise<FlightLog> {
  const entrance = await flights.enter(tenant, key, false);
  assert.equal(entrance.kind, 'lead');
  return (entrance as Extract<Entrance, { kind: 'lead' }>).log;
}

async function follow(flights: SharedFlights, tenant = 't', key = 'k'): Promise<FlightFeed> {
  const entrance = await flights.enter(tenant, key, false);
  assert.equal(entrance.kind, 'follow');
  return (entrance as Extract<Entrance, { kind: 'follow' }>).feed;
}

/** All records up to the last, and whether the feed ended without one. */
async function readAll(feed: FlightFeed): Promise<{ records: FlightRecord[]; isLost: boolean }> {
  const records: FlightRecord[] = [];
  for (;;) {
    const more = await feed.next(NEVER);
    if (more === null) return { records, isLost: true };
    records.push(...more);
    const last = records.at(-1);
    if (last?.kind === 'end' || last?.kind === 'failed') return { records, isLost: false };
  }
}

async function write(log: FlightLog, ...records: FlightRecord[]): Promise<void> {
  for (const record of records) assert.equal(await log.append(record), true);
}

export function sharedFlightsSuite(adapter: string, open: Open): void {
  for (const [title, run] of Object.entries(CLAIMS)) {
    test(`${adapter}: ${title}`, { timeout: 30_000 }, async (t) => {
      await run((maxLogBytes) => open({ after: (hook) => t.after(hook) }, maxLogBytes));
    });
  }
}

type OpenFleet = (maxLogBytes?: number) => FlightsUnderTest | Promise<FlightsUnderTest>;

const CLAIMS: Readonly<Record<string, (open: OpenFleet) => Promise<void>>> = {
  'the first who comes leads, the others follow': async (open) => {
    const under = await open();
    const [a, b, c] = [await under.process(), await under.process(), await under.process()];

    await lead(a.flights);

    (await follow(b.flights)).close();
    (await follow(c.flights)).close();
  },

  'of many who come at once one leads': async (open) => {
    const under = await open();
    const processes = await Promise.all([under.process(), under.process(), under.process()]);

    const all = await Promise.all(
      Array.from({ length: 30 }, (_, i) => processes[i % 3]?.flights.enter('t', 'k', true)),
    );

    assert.equal(all.filter((one) => one?.kind === 'lead').length, 1);
    assert.equal(all.filter((one) => one?.kind === 'follow').length, 29);
  },

  'what is stored comes before leading, where it is asked for': async (open) => {
    const under = await open();
    const { flights } = await under.process();
    await under.put('t', 'k');

    assert.equal((await flights.enter('t', 'k', true)).kind, 'stored');
    assert.equal((await flights.enter('other', 'k', true)).kind, 'lead');
    assert.equal((await flights.enter('t', 'k', false)).kind, 'lead');
  },

  'keys and tenants are apart': async (open) => {
    const under = await open();
    const { flights } = await under.process();
    await lead(flights);

    await lead(flights, 't', 'other');
    await lead(flights, 'u', 'k');
  },

  'followers read all that is written, from the beginning, in order': async (open) => {
    const under = await open();
    const [a, b, c] = [await under.process(), await under.process(), await under.process()];
    const log = await lead(a.flights);
    const early = readAll(await follow(b.flights));
    await log.followed();
    const odd = Buffer.from([0, 255, 10, 13, 0xc3, 0x28]);
    const written: FlightRecord[] = [
      HEAD,
      piece('a', 0),
      { kind: 'piece', bytes: odd, sequence: 2 ** 31 - 1 },
      piece(''),
    ];
    await write(log, ...written);
    const late = readAll(await follow(c.flights));
    const rest = [...Array.from({ length: 50 }, (_, i) => piece(`${i}`, i)), END];
    await write(log, ...rest);

    for (const { records, isLost } of [await early, await late]) {
      assert.deepEqual([isLost, records], [false, [...written, ...rest]]);
    }
  },

  'a plain end is told apart from the end of a stream': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    const log = await lead(a.flights);
    const feed = await follow(b.flights);

    await write(log, HEAD, { kind: 'end', terminal: null });

    assert.deepEqual((await readAll(feed)).records.at(-1), { kind: 'end', terminal: null });
  },

  'a failure arrives as it was': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    const log = await lead(a.flights);
    const feed = await follow(b.flights);
    const error = new GatewayError('upstream_rate_limited', {
      message: 'Slower — bitte.',
      retryAfterMs: 1500,
      upstreamCode: 'rate',
      retryable: false,
    });

    await write(log, { kind: 'failed', error });

    const last = (await readAll(feed)).records.at(-1);
    assert.equal(last?.kind, 'failed');
    const told = (last as Extract<FlightRecord, { kind: 'failed' }>).error;
    assert.ok(told instanceof GatewayError);
    for (const field of ['code', 'message', 'retryAfterMs', 'upstreamCode', 'retryable'] as const) {
      assert.equal(told[field], error[field], field);
    }
  },

  'a flight that nobody follows is released, and its key is free': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    const log = await lead(a.flights);

    assert.equal(await log.release(), true);

    await lead(b.flights);
    assert.equal(await log.append(HEAD), false);
    assert.equal(await log.release(), true);
  },

  'a flight that somebody follows is not released before its end': async (open) => {
    const under = await open();
    const [a, b, c] = [await under.process(), await under.process(), await under.process()];
    const log = await lead(a.flights);
    const feed = await follow(b.flights);

    assert.equal(await log.release(), false);
    await write(log, HEAD, piece('x'), END);

    await lead(c.flights);
    assert.deepEqual((await readAll(feed)).records, [HEAD, piece('x'), END]);
  },

  'a leader is told when the last follower has left, and of the next': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    const log = await lead(a.flights);
    const feed = await follow(b.flights);
    await log.followed();
    const watched = log.watched();
    assert.equal(watched.aborted, false);
    const left = new Promise((resolve) => watched.addEventListener('abort', resolve));

    feed.close();
    await left;

    await follow(b.flights);
    await log.followed();
    assert.equal(log.watched().aborted, false);
  },

  'a leader that is gone is noticed, and another may lead': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    const log = await lead(a.flights);
    const feed = await follow(b.flights);
    await log.followed();
    await write(log, HEAD, piece('x'));
    assert.ok((await feed.next(NEVER)) !== null);

    a.kill();

    assert.equal((await readAll(feed)).isLost, true);
    await lead(b.flights);
  },

  'whoever waits is let go by its signal': async (open) => {
    const under = await open();
    const [a, b] = [await under.process(), await under.process()];
    await lead(a.flights);
    const feed = await follow(b.flights);
    const abort = new AbortController();
    const reason = new Error('left');
    const waiting = feed.next(abort.signal);

    abort.abort(reason);

    await assert.rejects(waiting, reason);
    feed.close();
    feed.close();
    assert.equal(await feed.next(NEVER), null);
  },

  'a log is bounded: who keeps up reads on, who comes late is told to go': async (open) => {
    const under = await open(1000);
    const [a, b, c] = [await under.process(), await under.process(), await under.process()];
    const log = await lead(a.flights);
    const early = await follow(b.flights);
    await log.followed();
    let text = '';
    for (let number = 0; number < 20; number += 1) {
      await write(log, piece('x'.repeat(100)));
      while (text.length < (number + 1) * 100) {
        for (const record of (await early.next(NEVER)) ?? assert.fail('lost')) {
          if (record.kind === 'piece') text += record.bytes;
        }
      }
    }

    const late = await follow(c.flights);

    assert.equal(await late.next(NEVER), null);
    await write(log, END);
    assert.deepEqual(await early.next(NEVER), [END]);
  },
};
