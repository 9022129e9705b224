/**
 * The breakers of all workers of this program as one list, and closing them everywhere. Each
 * worker learns by itself; what is shown of a breaker is the worst of what any of them knows.
 *
 * Where the other workers cannot be asked, this one answers for itself. Processes that were
 * started apart (pods, say) have lists of their own.
 */
import type { Breaker } from '@esclusa/contracts';
import type { Member } from '../cluster/member.ts';
import type { BreakerRegistry, BreakerSnapshot } from '../gateway/resilience/breaker-registry.ts';
import type { AdminServices } from '../http/index.ts';
import type { Log } from '../kernel/log.ts';

export interface BreakerControlDeps {
  readonly breakers: Pick<BreakerRegistry, 'snapshot' | 'reset' | 'resetAll'>;
  /** null: this process is the only one. */
  readonly member: Pick<Member, 'poll' | 'onPoll'> | null;
  /** As `x-esclusa-worker` names this process. */
  readonly worker: string;
  readonly log: Log;
}

/** What one worker knows. */
interface Told {
  readonly worker: string;
  readonly breakers: readonly BreakerSnapshot[];
}

interface Words {
  /** The name of a breaker; null: every one. Absent: only how they stand is asked. */
  readonly reset?: string | null;
}

type Known = BreakerSnapshot & { readonly worker: string };

const TOPIC = 'breakers';
const BY_STATE = { closed: 0, half_open: 1, open: 2 } as const;

export function createBreakerControl(deps: BreakerControlDeps): AdminServices['breakers'] {
  const { breakers, member, worker, log } = deps;

  function answer({ reset }: Words): Told {
    if (reset === null) breakers.resetAll();
    else if (reset !== undefined) breakers.reset(reset);
    return { worker, breakers: breakers.snapshot() };
  }

  async function ask(words: Words): Promise<readonly Breaker[]> {
    const told = await member?.poll(TOPIC, words).catch((error) => {
      log.warn('the breakers of the other workers are missing', { error });
      return null;
    });
    const known = (told ?? []).filter(isTold);
    return together(known.length === 0 ? [answer(words)] : known);
  }

  member?.onPoll(TOPIC, (words) => answer(words as Words));
  return { list: () => ask({}), reset: (name) => ask({ reset: name }) };
}

/** Else it is missing: the answer of a worker that only just starts. */
function isTold(answer: unknown): answer is Told {
  return answer !== undefined && answer !== null;
}

/** One row for each name, in the order in which they were told. */
export function together(told: readonly Told[]): readonly Breaker[] {
  const names = new Map<string, Known[]>();
  for (const { worker, breakers } of told) {
    for (const snapshot of breakers) {
      const known = names.get(snapshot.name) ?? [];
      known.push({ ...snapshot, worker });
      names.set(snapshot.name, known);
    }
  }
  return [...names.values()].flatMap((known) => {
    const [worst] = known.toSorted((a, b) => BY_STATE[b.state] - BY_STATE[a.state]);
    return worst === undefined ? [] : [breakerOf(worst, known)];
  });
}

function breakerOf({ name, state, cause }: Known, known: readonly Known[]): Breaker {
  const sum = (of: (one: Known) => number) => known.reduce((all, one) => all + of(one), 0);
  const most = (of: (one: Known) => number) => Math.max(...known.map(of));
  const some = (of: (one: Known) => number | undefined) =>
    known.map(of).filter((value) => value !== undefined);
  const openedAtMs = some((one) => one.openedAtMs);
  const retryAfterMs = some((one) => one.retryAfterMs);
  const restingMs = some((one) => one.restingMs);
  const failed = sum((one) => one.totalFailures);
  const ended = failed + sum((one) => one.totalSuccesses);
  return {
    name,
    state,
    is_open: state === 'open',
    cause: cause ?? null,
    failure_count: most((one) => one.failures),
    success_count: most((one) => one.successes),
    total_calls: sum((one) => one.totalCalls),
    total_failures: failed,
    total_successes: ended - failed,
    failure_rate: ended === 0 ? 0 : Number((failed / ended).toFixed(4)),
    open_seconds_total: most((one) => one.totalOpenMs) / 1000,
    opened_at: openedAtMs.length === 0 ? null : new Date(Math.min(...openedAtMs)).toISOString(),
    retry_after_ms: retryAfterMs.length === 0 ? null : Math.min(...retryAfterMs),
    resting_ms: restingMs.length === 0 ? null : Math.max(...restingMs),
    workers: known.map(workerOf),
  };
}

function workerOf({ worker, state, failures, retryAfterMs }: Known): Breaker['workers'][number] {
  return { worker, state, failure_count: failures, retry_after_ms: retryAfterMs ?? null };
}
