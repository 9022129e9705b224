/**
 * Where the answer of a shared call comes from: the shared cache, another process that makes
 * the same call, or a call of our own, which others may then follow.
 *
 * What is found and who leads is asked in one go. A leader that is lost, or failed for a reason
 * that is only its own or its process's, is asked after again, and so is one whose stream is too
 * long to be joined; after a few times we call ourselves.
 */

import { type Followed, follow, LeaderLost } from '../caching/follow.ts';
import { relayWhole } from '../caching/relay.ts';
import { concernsLeaderOnly } from '../caching/single-flight.ts';
import type { Found, Tiers } from '../caching/tiers.ts';
import type { Answer } from '../model/answer.ts';
import { asGatewayError, type ErrorCode, GatewayError } from '../model/errors.ts';
import type { Exchange } from '../model/exchange.ts';
import type { FlightLog, SharedFlights } from '../ports/shared-flights.ts';
import type { Handler } from './stage.ts';

export interface SourceDeps {
  readonly store: Tiers;
  /** null: this process is alone. */
  readonly fleet: SharedFlights | null;
}

/** One exchange's part in the call for a key. */
export interface CacheCall {
  readonly exchange: Exchange;
  readonly next: Handler;
  readonly tenant: string;
  readonly key: string;
  /** What is stored may be given, where it pleases this exchange. */
  readonly lookup: boolean;
  readonly pleases: (found: Found) => boolean;
}

export type Source =
  | { readonly kind: 'stored'; readonly found: Found }
  | { readonly kind: 'followed'; readonly followed: Followed }
  | {
      readonly kind: 'called';
      readonly answer: Answer;
      /** Of the tenant, before the call. */
      readonly generation: string;
      readonly log: FlightLog | null;
    };

const MAX_LEADERS = 5;

/** Reasons to fail that lie in the process that led: another one has room, or goes on. */
const LEADING_PROCESSES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'shutting_down',
  'overloaded',
  'no_target_available',
]);

export async function obtain(
  deps: SourceDeps,
  call: CacheCall,
  work: AbortController,
): Promise<Source> {
  const { store, fleet } = deps;
  if (fleet === null) return callOwn(deps, call, work, null);
  let { lookup } = call;
  for (let leaders = 0; leaders < MAX_LEADERS; ) {
    const looking = lookup ? store.far(call.tenant, call.key) : null;
    const entrance = await fleet.enter(call.tenant, call.key, lookup);
    const found = await looking;
    if (found !== null && call.pleases(found)) {
      if (entrance.kind === 'lead') void giveUp(entrance.log);
      if (entrance.kind === 'follow') entrance.feed.close();
      return { kind: 'stored', found };
    }
    lookup = false;
    if (entrance.kind === 'alone') break;
    if (entrance.kind === 'lead') return callOwn(deps, call, work, entrance.log);
    if (entrance.kind === 'follow') {
      try {
        return { kind: 'followed', followed: await follow(entrance.feed, work.signal) };
      } catch (thrown) {
        if (work.signal.aborted || !(mayTakeOver(thrown) || isBeyond(thrown))) throw thrown;
        leaders += 1;
        lookup = call.lookup;
      }
    }
  }
  return callOwn(deps, call, work, null);
}

/** The call that was followed came to nothing for a reason that is not ours. */
export function mayTakeOver(thrown: unknown): boolean {
  if (thrown instanceof LeaderLost || concernsLeaderOnly(thrown)) return true;
  return thrown instanceof GatewayError && LEADING_PROCESSES.has(thrown.code);
}

/** The stream had grown too long to be joined: whoever was given nothing of it calls anew. */
function isBeyond(thrown: unknown): boolean {
  return thrown instanceof GatewayError && thrown.code === 'shared_call_lost';
}

/** Leads no more; who follows already is told, and leads. */
function giveUp(log: FlightLog): Promise<void> {
  const error = new GatewayError('shared_call_lost');
  return relayWhole(log, [{ kind: 'failed', error }], Promise.resolve());
}

async function callOwn(
  deps: SourceDeps,
  { exchange, next, tenant }: CacheCall,
  work: AbortController,
  log: FlightLog | null,
): Promise<Source> {
  exchange.cache = { status: 'MISS', tier: null, ageSeconds: null, detail: null };
  exchange.work = work;
  const generation = deps.store.generation(tenant);
  try {
    return { kind: 'called', answer: await next(exchange), generation, log };
  } catch (thrown) {
    // Why this exchange was ended (its key was revoked) is nobody else's business.
    const isOwn = exchange.abort.signal.aborted;
    const error = isOwn ? new GatewayError('client_closed') : asGatewayError(thrown);
    if (log !== null) void relayWhole(log, [{ kind: 'failed', error }], Promise.resolve());
    throw thrown;
  }
}
