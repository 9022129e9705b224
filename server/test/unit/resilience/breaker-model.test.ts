/**
 * The breaker against an independent model over random histories of calls, outcomes, late
 * failures, waits and readings. The model keeps every call ever made and derives its answers
 * from that record; the real one keeps counts. fast-check prints the seed of a failure.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { BreakerSettings } from '../../../src/gateway/model/target.ts';
import type { CallOutcome } from '../../../src/gateway/ports/breaker.ts';
import {
  admitCall,
  type BreakerState,
  closedState,
  failures,
  recordOutcome,
} from '../../../src/gateway/resilience/breaker.ts';

interface ModelCall {
  readonly phase: object;
  outcomes: CallOutcome[];
}

/** A phase is an object of its own; a call belongs to the phase that let it pass. */
class Model {
  readonly #settings: BreakerSettings;
  phase: { kind: 'closed' | 'open' | 'half_open'; sinceMs: number; log: [number, boolean][] };
  readonly calls: ModelCall[] = [];

  constructor(settings: BreakerSettings) {
    this.#settings = settings;
    this.phase = { kind: 'closed', sinceMs: 0, log: [] };
  }

  #enter(kind: 'closed' | 'open' | 'half_open', nowMs: number): void {
    this.phase = { kind, sinceMs: nowMs, log: [] };
  }

  begin(nowMs: number): boolean {
    const { openMs, halfOpenMaxCalls } = this.#settings;
    if (this.phase.kind === 'open') {
      if (nowMs < this.phase.sinceMs + openMs) return false;
      this.#enter('half_open', nowMs);
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

  end(call: ModelCall, outcome: CallOutcome, nowMs: number): void {
    call.outcomes.push(outcome);
    if (call.phase !== this.phase || outcome === 'ignored') return;
    this.phase.log.push([nowMs, outcome === 'failure']);
    if (this.phase.kind === 'half_open') {
      const good = this.phase.log.filter(([, failed]) => !failed).length;
      if (outcome === 'failure') this.#enter('open', nowMs);
      else if (good === this.#settings.successThreshold) this.#enter('closed', nowMs);
      return;
    }
    if (outcome === 'failure' && this.#tripped(nowMs)) this.#enter('open', nowMs);
  }

  #considered(nowMs: number): [number, boolean][] {
    const { failureThreshold, minimumCalls } = this.#settings;
    const most = Math.max(failureThreshold * 2, minimumCalls);
    const newestFirst = this.phase.log.toReversed().slice(0, most);
    return newestFirst.filter(([atMs]) => atMs > nowMs - 60_000);
  }

  #tripped(nowMs: number): boolean {
    const considered = this.#considered(nowMs);
    return (
      considered.length >= this.#settings.minimumCalls &&
      this.failures(nowMs) >= this.#settings.failureThreshold
    );
  }

  failures(nowMs: number): number {
    return this.#considered(nowMs).filter(([, failed]) => failed).length;
  }
}

const settings = fc.record({
  failureThreshold: fc.integer({ min: 1, max: 6 }),
  successThreshold: fc.integer({ min: 1, max: 4 }),
  openMs: fc.constantFrom(1, 1000, 30_000, 90_000),
  halfOpenMaxCalls: fc.integer({ min: 1, max: 4 }),
  minimumCalls: fc.integer({ min: 1, max: 15 }),
});

type Step = readonly [kind: 'begin' | 'end' | 'late' | 'wait' | 'read', pick: number];

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('begin', 'begin', 'end', 'end', 'end', 'late', 'wait', 'read'),
  fc.nat(999),
);

const OUTCOMES: readonly CallOutcome[] = ['failure', 'failure', 'success', 'success', 'ignored'];
const WAITS_MS = [0, 1, 10, 500, 999, 5000, 29_999, 59_999, 60_000];

const HISTORIES = 12_000;

function check(given: BreakerSettings, steps: readonly Step[], seen: Set<string>): void {
  const model = new Model(given);
  let state: BreakerState = closedState(0);
  let nowMs = 0;
  const permits: number[] = [];
  const end = (index: number, outcome: CallOutcome): void => {
    const call = model.calls[index];
    if (call === undefined) return;
    model.end(call, outcome, nowMs);
    state = recordOutcome(state, given, nowMs, permits[index] ?? -1, outcome);
  };
  for (const [kind, pick] of steps) {
    const running = [...model.calls.keys()].filter((i) => model.calls[i]?.outcomes.length === 0);
    const streaming = [...model.calls.keys()].filter(
      (i) => model.calls[i]?.outcomes.join() === 'success',
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
    seen.add(state.kind);
  }
}

test(`the breaker behaves as its model does in ${HISTORIES} random histories`, () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(settings, fc.array(step, { maxLength: 80, size: 'max' }), (given, steps) => {
      check(given, steps, seen);
    }),
    { numRuns: HISTORIES },
  );
  assert.deepEqual([...seen].sort(), ['closed', 'half_open', 'open']);
});
