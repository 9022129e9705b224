/**
 * The renewal of an answer that was just given stale: an exchange of its own, booked to the
 * caller that set it off, that no client waits for.
 *
 * One renewal of a key runs at a time in a process, and so many in all; beyond that the next
 * caller sets one off. Other processes share its call like any other.
 */
import type { Found } from '../caching/tiers.ts';
import type { Answer } from '../model/answer.ts';
import { Exchange } from '../model/exchange.ts';
import type { CacheCall } from './flight-source.ts';
import { type FlyDeps, fly } from './fly.ts';
import { giveStored } from './give-stored.ts';
import type { Handler } from './stage.ts';

export interface RevalidateDeps extends FlyDeps {
  /** A new id of an exchange. */
  readonly newId: () => string;
}

export type Revalidate = (call: CacheCall) => void;

const MAX_RUNNING = 100;

/** `booked` sees that the exchange is observed and settled. */
export function createRevalidate(
  deps: RevalidateDeps,
  booked: (handler: Handler) => Handler,
): Revalidate {
  const running = new Set<string>();
  return (call) => {
    const { key } = call;
    if (running.has(key) || running.size >= MAX_RUNNING) return;
    running.add(key);
    const handler = booked((exchange) => renew(deps, { ...call, exchange }));
    void toItsEnd(handler, exchangeFor(deps, call)).finally(() => running.delete(key));
  };
}

/** Another process may have renewed it before; then that is found. */
async function renew(deps: FlyDeps, call: CacheCall): Promise<Answer> {
  const { clock } = deps;
  const pleases = ({ entry }: Found): boolean => entry.freshUntilMs > clock.wallMs();
  const flown = await fly(deps, { ...call, lookup: true, pleases });
  if (flown.kind === 'answer') return flown.answer;
  return giveStored(clock, call.exchange, flown.found, 'HIT');
}

/** Never rejects: what went wrong is in the ledger and the log, and the stale answer is given. */
async function toItsEnd(handler: Handler, exchange: Exchange): Promise<void> {
  try {
    const answer = await handler(exchange);
    if (answer.kind === 'stream') for await (const _ of answer.frames);
  } catch {
    // Settled and observed like any other exchange.
  }
}

function exchangeFor({ clock, newId }: RevalidateDeps, { exchange }: CacheCall): Exchange {
  const { correlationId, configGeneration, credential, headers, request } = exchange;
  const own = new Exchange({
    id: newId(),
    ...{ correlationId, configGeneration, credential, headers, request },
    createdAtMs: clock.wallMs(),
    startedMs: clock.monotonicMs(),
    malformed: null,
    idempotencyKey: null,
    abort: new AbortController(),
    trace: exchange.trace?.child() ?? null,
  });
  own.principal = exchange.principal;
  own.route = exchange.route;
  return own;
}
