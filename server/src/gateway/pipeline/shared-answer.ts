/**
 * From where an answer comes from to what is shared of it among the exchanges of this process,
 * and told to the processes that follow.
 */
import { assert } from '../../kernel/assert.ts';
import { relayWhole } from '../caching/relay.ts';
import type { SharedStream } from '../caching/shared-stream.ts';
import type { Found } from '../caching/tiers.ts';
import type { Answer, PlainAnswer } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { FlightHead, FlightRecord } from '../ports/shared-flights.ts';
import type { CacheCall, Source } from './flight-source.ts';
import { headOf, type KeepDeps, keep } from './keep.ts';
import { shareStream } from './share-stream.ts';

/** What a call of this process came to, for its leader and, changed, for each joiner. */
export interface Shared {
  /** It was stored; each exchange judges by itself whether that may be given. */
  readonly found: Found | null;
  /** null: it was found, or cannot be joined any more. */
  readonly answer: Answer | null;
  readonly stream: SharedStream | null;
  /** Until when it can be joined: its end, and where it is checked first, its being kept. */
  readonly lasts: Promise<unknown> | null;
  readonly provider: string | null;
  readonly providerModel: string | null;
  readonly dropped?: readonly string[];
}

const NOTHING = { found: null, answer: null, stream: null, lasts: null };

type Called = Extract<Source, { kind: 'called' }>;

export function share(
  deps: KeepDeps,
  call: CacheCall,
  work: AbortController,
  source: Source,
): Shared {
  if (source.kind === 'stored') return sharedBy(call, { found: source.found });
  if (source.kind === 'followed') joined(call.exchange, source.followed.head);
  if (call.exchange.request.stream) {
    return sharedBy(call, shareStream(deps, call, work, source));
  }
  if (source.kind === 'called') sharePlain(deps, call, source);
  return sharedBy(call, { answer: plainOf(source), lasts: call.exchange.asItCame });
}

function sharedBy({ exchange }: CacheCall, outcome: Partial<Shared>): Shared {
  const { provider, providerModel, dropped } = exchange;
  return { ...NOTHING, provider, providerModel, dropped, ...outcome };
}

/** Marks an exchange as one that was given what another one pays for. */
export function joined(
  exchange: Exchange,
  { provider, providerModel, dropped = [] }: Pick<Shared, 'provider' | 'providerModel' | 'dropped'>,
): void {
  exchange.cache = { status: 'JOIN', tier: null, ageSeconds: null, detail: null };
  exchange.provider = provider;
  exchange.providerModel = providerModel;
  exchange.dropped = dropped;
}

function plainOf(source: Exclude<Source, { kind: 'stored' }>): Answer {
  if (source.kind === 'called') return source.answer;
  const { followed } = source;
  assert(followed.kind === 'plain', 'a request for a plain answer is followed as one');
  const { dialect, contentType } = followed.head;
  const { bytes } = followed;
  const untold = { body: null, usage: null, finishReasons: [] };
  return { kind: 'plain', dialect, contentType, bytes, ...untold };
}

function sharePlain(deps: KeepDeps, call: CacheCall, { answer, generation, log }: Called): void {
  assert(answer.kind === 'plain', 'a request for a plain answer is answered by one');
  const kept = keep(deps, call, { ...answer, terminal: null }, generation);
  if (log !== null) void relayWhole(log, recordsOf(headOf(call, answer), answer), kept);
}

function recordsOf(head: FlightHead, { bytes }: PlainAnswer): readonly FlightRecord[] {
  return [
    { kind: 'head', head },
    { kind: 'piece', bytes, sequence: null },
    { kind: 'end', terminal: null },
  ];
}
