/**
 * What every store of answers for `Idempotency-Key` promises: of many that come at once one
 * claims, what is kept is told alike to all, and nothing grows without bound.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type {
  ReplayClaim,
  ReplayFinding,
  ReplayPlace,
  ReplayStore,
} from '../../src/gateway/ports/replay-store.ts';
import type { ReplayBounds } from '../../src/stores/replay-bounds.ts';
import { until } from '../support/until.ts';

export interface ReplayStoreUnderTest {
  readonly store: ReplayStore;
  /** A tenant nobody else uses. */
  readonly tenant: string;
  close(): void;
}

type Open = (bounds: ReplayBounds) => ReplayStoreUnderTest;

const WIDE: ReplayBounds = { retentionMs: 60_000, maxEntries: 1000, maxBytes: 1_000_000 };
const NEVER = new AbortController().signal;

export function claimed(finding: ReplayFinding): ReplayClaim {
  assert.equal(finding.kind, 'claimed');
  return (finding as Extract<ReplayFinding, { kind: 'claimed' }>).claim;
}

export function replayStoreSuite(adapter: string, open: Open): void {
  for (const [title, { bounds, run }] of Object.entries(CLAIMS)) {
    test(`${adapter}: ${title}`, async (t) => {
      const { store, tenant, close } = open(bounds);
      t.after(close);
      await run({ store, tenant, at: (id) => ({ tenant, id }) });
    });
  }
}

interface Claim {
  readonly bounds: ReplayBounds;
  run(under: {
    readonly store: ReplayStore;
    readonly tenant: string;
    at(id: string): ReplayPlace;
  }): Promise<void>;
}

/** Another millisecond, another age. */
async function nextMillisecond(): Promise<void> {
  const nowMs = Date.now();
  await until('a millisecond is over', () => Date.now() > nowMs + 1);
}

const CLAIMS: Readonly<Record<string, Claim>> = {
  'a place is claimed once, and then told as running': {
    bounds: WIDE,
    async run({ store, at }) {
      claimed(await store.claim(at('a'), 'print'));

      const second = await store.claim(at('a'), 'other');

      assert.deepEqual(second, { kind: 'running', fingerprint: 'print' });
      claimed(await store.claim(at('b'), 'print'));
    },
  },

  'what is forgotten of a tenant is claimed anew, and others keep theirs': {
    bounds: WIDE,
    async run({ store, tenant, at }) {
      const elsewhere = { tenant: `${tenant}-other`, id: 'a' };
      for (const place of [at('a'), at('b'), elsewhere]) {
        await claimed(await store.claim(place, 'print')).keep(Buffer.from('answer'));
      }

      await store.forget(tenant);

      claimed(await store.claim(at('a'), 'print'));
      claimed(await store.claim(at('b'), 'print'));
      assert.equal((await store.claim(elsewhere, 'print')).kind, 'kept');
    },
  },

  'of fifty at once one claims': {
    bounds: WIDE,
    async run({ store, at }) {
      const findings = await Promise.all(
        Array.from({ length: 50 }, () => store.claim(at('a'), 'print')),
      );

      assert.equal(findings.filter(({ kind }) => kind === 'claimed').length, 1);
      assert.equal(findings.filter(({ kind }) => kind === 'running').length, 49);
    },
  },

  'what is kept is told byte for byte, with its fingerprint': {
    bounds: WIDE,
    async run({ store, at }) {
      const bytes = Buffer.from([0, 255, 10, 13, 195, 40, 0]);

      const isKept = await claimed(await store.claim(at('a'), 'print')).keep(bytes);

      assert.equal(isKept, true);
      const found = await store.claim(at('a'), 'other');
      assert.equal(found.kind === 'kept' && found.fingerprint, 'print');
      assert.deepEqual(found.kind === 'kept' && Buffer.from(found.answer), bytes);
    },
  },

  'a released place is free, and a claim that ended changes nothing': {
    bounds: WIDE,
    async run({ store, at }) {
      const first = claimed(await store.claim(at('a'), 'print'));
      first.release();
      const second = await until('it is free', async () => {
        const found = await store.claim(at('a'), 'print');
        return found.kind === 'claimed' ? found.claim : null;
      });

      first.release();
      assert.equal(await first.keep(Buffer.from('late')), false);

      assert.equal((await store.claim(at('a'), 'print')).kind, 'running');
      assert.equal(await second.keep(Buffer.from('answer')), true);
      second.release();
      assert.equal((await store.claim(at('a'), 'print')).kind, 'kept');
    },
  },

  'who waits is told of the end': {
    bounds: WIDE,
    async run({ store, at }) {
      const running = claimed(await store.claim(at('a'), 'print'));
      const waiting = until('it is kept', async () => {
        await store.ended(at('a'), NEVER);
        return (await store.claim(at('a'), 'print')).kind === 'kept';
      });

      await running.keep(Buffer.from('answer'));

      await waiting;
    },
  },

  'a wait ends at once with its signal': {
    bounds: WIDE,
    async run({ store, at }) {
      claimed(await store.claim(at('a'), 'print'));
      const abort = new AbortController();
      const waiting = store.ended(at('a'), abort.signal);

      abort.abort(new Error('the client left'));

      await assert.rejects(waiting, /the client left/);
      await assert.rejects(store.ended(at('a'), abort.signal), /the client left/);
    },
  },

  'tenants do not know each other': {
    bounds: WIDE,
    async run({ store, at, tenant }) {
      await claimed(await store.claim(at('a'), 'print')).keep(Buffer.from('secret'));

      claimed(await store.claim({ tenant: `${tenant}-other`, id: 'a' }, 'print'));
    },
  },

  'of more answers than allowed the oldest go': {
    bounds: { ...WIDE, maxEntries: 3 },
    async run({ store, at }) {
      for (const id of ['a', 'b', 'c', 'd']) {
        assert.equal(await claimed(await store.claim(at(id), 'p')).keep(Buffer.from(id)), true);
        await nextMillisecond();
      }

      const kinds: string[] = [];
      for (const id of ['d', 'c', 'b', 'a']) kinds.push((await store.claim(at(id), 'p')).kind);

      assert.deepEqual(kinds, ['kept', 'kept', 'kept', 'claimed']);
    },
  },

  'of more bytes than allowed the oldest go; what is too large by itself is not kept': {
    bounds: { ...WIDE, maxBytes: 100 },
    async run({ store, at }) {
      for (const id of ['a', 'b', 'c']) {
        assert.equal(await claimed(await store.claim(at(id), 'p')).keep(Buffer.alloc(40)), true);
        await nextMillisecond();
      }

      assert.equal((await store.claim(at('a'), 'p')).kind, 'claimed');
      assert.equal((await store.claim(at('b'), 'p')).kind, 'kept');
      assert.equal(await claimed(await store.claim(at('x'), 'p')).keep(Buffer.alloc(101)), false);
      assert.equal((await store.claim(at('x'), 'p')).kind, 'claimed');
    },
  },

  'an answer is kept for its time': {
    bounds: { ...WIDE, retentionMs: 100 },
    async run({ store, at }) {
      await claimed(await store.claim(at('a'), 'print')).keep(Buffer.from('answer'));
      assert.equal((await store.claim(at('a'), 'print')).kind, 'kept');

      await until('its time is over', async () => {
        const { kind } = await store.claim(at('a'), 'print');
        return kind === 'claimed';
      });
    },
  },

  'a place kept anew counts once': {
    bounds: { ...WIDE, retentionMs: 20, maxBytes: 100 },
    async run({ store, at }) {
      for (let round = 0; round < 5; round += 1) {
        const claim = await until('it is free', async () => {
          const found = await store.claim(at('a'), 'print');
          return found.kind === 'claimed' ? found.claim : null;
        });
        assert.equal(await claim.keep(Buffer.alloc(60)), true);
      }
    },
  },
};
