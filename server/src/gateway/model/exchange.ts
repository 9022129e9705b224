/**
 * One request with everything known about it, from first byte to settlement. The pipeline's
 * stages fill it in; each field names the stage that writes it, and nobody else does.
 */
import type { GatewayError } from './errors.ts';
import type { LimitFigures, LimitLease, Reservation } from './holds.ts';
import type { CacheStatus, LedgerEntry } from './ledger-entry.ts';
import type { Budget, Principal } from './principal.ts';
import type { InferenceRequest } from './request.ts';
import type { Route } from './route.ts';
import type { Target } from './target.ts';
import type { Trace } from './trace.ts';
import type { Usage } from './usage.ts';

export type Credential =
  | {
      readonly kind: 'secret';
      readonly value: string;
      /** Where the connection comes from; null where that is unknown. */
      readonly address: () => string | null;
      /** The tenant whose host was called; null, or left out: the host names none. */
      readonly tenant?: () => string | null;
    }
  | { readonly kind: 'none'; readonly address?: () => string | null }
  | {
      readonly kind: 'refused';
      readonly error: GatewayError;
      readonly address?: () => string | null;
    };

/** Names and values in turn, as they came in. */
export type RawHeaders = readonly string[];

export interface Attempt {
  readonly target: Target;
  readonly startedMs: number;
  /** Its answer, or the first piece of its stream, was there; null while it runs. */
  endedMs: number | null;
  /** The place of the provider's key, where it has several. */
  readonly key: string | null;
  /** In the exchange's trace; null: there is none. */
  readonly spanId: string | null;
  /** null while it runs and when it succeeded. */
  error: GatewayError | null;
}

export interface CacheResult {
  readonly status: CacheStatus;
  readonly tier: string | null;
  readonly ageSeconds: number | null;
  /** Why it was bypassed or is stale, as RFC 9211 `detail`. */
  readonly detail: string | null;
}

/** A budget that is used up, and what is counted by it: `tenant:acme`. */
export interface PassedBudget {
  readonly id: string;
  readonly budget: Budget;
}

export interface ExchangeOpening {
  readonly id: string;
  readonly correlationId: string;
  readonly createdAtMs: number;
  readonly startedMs: number;
  readonly configGeneration: number;
  readonly credential: Credential;
  readonly headers: RawHeaders;
  readonly request: InferenceRequest;
  readonly idempotencyKey: string | null;
  readonly malformed: GatewayError | null;
  readonly abort: AbortController;
  /** null, or left out: no traces are made. */
  readonly trace?: Trace | null;
}

export class Exchange {
  readonly id: string;
  readonly correlationId: string;
  readonly createdAtMs: number;
  /** On the monotonic clock. */
  readonly startedMs: number;
  readonly configGeneration: number;
  readonly credential: Credential;
  /** As sent, credentials included: never logged, never kept. */
  readonly headers: RawHeaders;
  /** remember: with the conversation that it goes on from before it */
  request: InferenceRequest;
  /** As the client sent it; null where it sent none. */
  readonly idempotencyKey: string | null;
  /** Why the body could not be read as a request; thrown by admit, after the limits. */
  readonly malformed: GatewayError | null;
  /** Aborted, with a `GatewayError` as reason, when the client leaves or time is over. */
  readonly abort: AbortController;
  /** null: no traces are made */
  readonly trace: Trace | null;

  /** Ends the work done for this exchange; cache: shared work outlives one client. */
  work: AbortController;
  /** authenticate */
  principal: Principal | null = null;
  /** replay: the answer was given before, to the same request */
  replayed = false;
  /** admit */
  requestLimit: LimitFigures | null = null;
  /** admit */
  tokenLimit: LimitFigures | null = null;
  /** route */
  route: Route | null = null;
  /** admit; settle ends it */
  lease: LimitLease | null = null;
  /** reserve; settle ends it */
  reservation: Reservation | null = null;
  /** reserve: budgets that only warn, and are used up */
  budgetsPassed: readonly PassedBudget[] = [];
  /** cache */
  cache: CacheResult = { status: 'BYPASS', tier: null, ageSeconds: null, detail: null };
  /** cache: the digest under which the answer lies, or would; null where it is not used */
  cacheKey: string | null = null;
  /** call: the target that answered, or was tried last; cache: the one that once did */
  provider: string | null = null;
  providerModel: string | null = null;
  /** call */
  readonly attempts: Attempt[] = [];
  /** call: the last attempt was sent and no refusal came back, so it may be charged for */
  dispatched = false;
  /** call: fields of the request that the last target could not be told; cache, replay: then */
  dropped: readonly string[] = [];
  /** call: the tokens were not counted by a provider */
  countEstimated = false;
  /** call: milliseconds of the whole duration spent waiting for the provider */
  upstreamMs = 0;
  /** call: milliseconds from the start to the first piece of the answer */
  firstTokenMs: number | null = null;
  /** guard: true where its checks change nothing of the answer; null: there are no checks */
  asItCame: Promise<boolean> | null = null;
  /** guard, remember: the usage of an answer that may turn out not to be given */
  spent: Usage | null = null;
  /** settle: what was written to the ledger */
  entry: LedgerEntry | null = null;

  constructor(opening: ExchangeOpening) {
    this.id = opening.id;
    this.correlationId = opening.correlationId;
    this.createdAtMs = opening.createdAtMs;
    this.startedMs = opening.startedMs;
    this.configGeneration = opening.configGeneration;
    this.credential = opening.credential;
    this.headers = opening.headers;
    this.request = opening.request;
    this.idempotencyKey = opening.idempotencyKey;
    this.malformed = opening.malformed;
    this.abort = opening.abort;
    this.trace = opening.trace ?? null;
    this.work = opening.abort;
  }
}
