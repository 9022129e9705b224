/**
 * The breaker against an independent model over random histories of calls, outcomes, late
 * failures, waits and readings. The model keeps every call ever made and derives its answers
 * from that record; the real one keeps counts. fast-check prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BreakerSettings } from '../../../src/gateway/model/target.ts';
import {
  admitCall,
  type BreakerState,
  closedState,
  failures,
  type Outcome,
  recordOutcome,
} from '../../../src/gateway/resilience/breaker.ts';

interface ModelCall {
  readonly phase: object;
  outcomes: Outcome[];
}

type Entry = readonly [atMs: number, outcome: Outcome];

/** A phase is an object of its own; a call belongs to the phase that let it pass. */
class Model {
  readonly #settings: BreakerSettings;
  phase: { kind: 'closed' | 'open' | 'half_open'; sinceMs: number; log: Entry[]; slow: boolean };
  readonly calls: ModelCall[] = [];

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.phase = { kind: 'closed', sinceMs: 0, log: [], slow: false };
  }

  #enter(kind: 'closed' | 'open' | 'half_open', nowMs: number, slow = false): void {
    this.phase = { kind, sinceMs: nowMs, log: [], slow };
  }

  begin(nowMs: number): boolean {
    const { openMs, halfOpenMaxCalls } = this.#settings;
    if (this.phase.kind === 'open') {
      if (nowMs < this.phase.sinceMs + openMs) return false;
      this.#enter('half_open', nowMs, this.phase.slow);
    }
    if (this.phase.kind === 'half_open') {
      const out = this.calls.filter(
        (call) => call.phase === this.phase && call.outcomes.length === 0,
      );
      if (out.length >= halfOpenMaxCalls) return false;
    }
    this.calls.push({ phase: this.phase, outcomes: [] });
    return true;
  }

  end(call: ModelCall, outcome: Outcome, nowMs: number): void {
    call.outcomes.push(outcome);
    if (call.phase !== this.phase || outcome === 'ignored') return;
    this.phase.log.push([nowMs, outcome]);
    if (this.phase.kind === 'half_open') {
      const { slow } = this.phase;
      const good = this.phase.log.filter(([, one]) => one !== 'failure').length;
      if (outcome === 'failure') this.#enter('open', nowMs);
      else if (outcome === 'slow' && slow) this.#enter('open', nowMs, true);
      else if (good === this.#settings.successThreshold) this.#enter('closed', nowMs);
      return;
    }
    const considered = this.#considered(nowMs);
    if (considered.length < this.#settings.minimumCalls) return;
    if (outcome === 'failure' && this.failures(nowMs) >= this.#settings.failureThreshold) {
      this.#enter('open', nowMs);
    }
    const share = considered.filter(([, one]) => one === 'slow').length / considered.length;
    const { slowCallRate = 1 } = this.#settings;
    if (outcome === 'slow' && share >= slowCallRate) this.#enter('open', nowMs, true);
  }

  #considered(nowMs: number): Entry[] {
    const { failureThreshold, minimumCalls } = this.#settings;
    const most = Math.max(failureThreshold * 2, minimumCalls);
    const newestFirst = this.phase.log.toReversed().slice(0, most);
    return newestFirst.filter(([atMs]) => atMs > nowMs - 60_000);
  }

  failures(nowMs: number): number {
    return this.#considered(nowMs).filter(([, outcome]) => outcome === 'failure').length;
  }
}

const settings = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  openMs: fc.constantFrom(1, 1000, 30_000, 90_000),
  halfOpenMaxCalls: fc.integer({ min: 1, max: 4 }),
  minimumCalls: fc.integer({ min: 1, max: 15 }),
  slowCallRate: fc.constantFrom(0.25, 0.5, 0.75, 1),
});

type Step = readonly [kind: 'begin' | 'end' | 'late' | 'wait' | 'read', pick: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('begin', 'begin', 'end', 'end', 'end', 'late', 'wait', 'read'),
  fc.nat(999),
);

const OUTCOMES: readonly Outcome[] = [
  ...(['failure', 'failure', 'failure', 'slow', 'slow', 'slow', 'slow'] as const),
  ...(['success', 'success', 'ignored'] as const),
];
const WAITS_MS = [0, 1, 10, 500, 999, 5000, 29_999, 59_999, 60_000];

const HISTORIES = 12_000;

function check(given: BreakerSettings, steps: readonly Step[], seen: Set<string>): void {
  const model = new Model(given);
  let state: BreakerState = closedState(0);
  let nowMs = 0;
  const permits: number[] = [];
  const end = (index: number, outcome: Outcome): void => {
    const call = model.calls[index];
    if (call === undefined) return;
    model.end(call, outcome, nowMs);
    state = recordOutcome(state, given, nowMs, permits[index] ?? -1, outcome);
  };
  for (const [kind, pick] of steps) {
    const running = [...model.calls.keys()].filter((i) => model.calls[i]?.outcomes.length === 0);
    const streaming = [...model.calls.keys()].filter((i) =>
      /^(success|slow)$/.test(model.calls[i]?.outcomes.join() ?? ''),
    );
    if (kind === 'wait') nowMs += WAITS_MS[pick % WAITS_MS.length] ?? 0;
    if (kind === 'begin') {
      const next = admitCall(state, given, nowMs);
      assert.equal(next !== null, model.begin(nowMs), 'admission');
      if (next !== null) permits.push(next.generation);
      state = next ?? state;
    }
    const outcome = OUTCOMES[pick % OUTCOMES.length] ?? 'ignored';
    if (kind === 'end' && running.length > 0) end(running[pick % running.length] ?? -1, outcome);
    if (kind === 'late' && streaming.length > 0) {
      end(streaming[pick % streaming.length] ?? -1, 'failure');
    }
    const before: BreakerState = structuredClone(state);
    if (state.kind === 'closed') assert.equal(failures(state, nowMs), model.failures(nowMs));
    else failures(state, nowMs);
    assert.deepEqual(state, before, 'reading changes nothing');
    assert.equal(state.kind, model.phase.kind, 'state');
    if (state.kind !== 'closed') {
      assert.equal(state.cause === 'slowness', model.phase.slow, 'cause');
    }
    if (state.kind === 'half_open') {
      const out = model.calls.filter(
        (call) => call.phase === model.phase && call.outcomes.length === 0,
      );
      assert.equal(state.running, out.length, 'no permit leaks');
    }
    seen.add(state.kind === 'closed' ? state.kind : `${state.kind} for ${state.cause}`);
  }
}

test(`the breaker behaves as its model does in ${HISTORIES} random histories`, () => {
  const seen = new Set<string>();
  let histories = 0;
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 80, size: 'max' }), (given, steps) => {
      check(given, steps, seen);
      histories += 1;
    }),
    { numRuns: HISTORIES },
  );
  assert.ok(histories >= 10_000, `${histories} histories`);
  assert.deepEqual([...seen].sort(), [
    'closed',
    'half_open for failures',
    'half_open for slowness',
    'open for failures',
    'open for slowness',
  ]);
});
