/**
 * The public face of the gateway's core: the words of an exchange, the coded errors, the
 * ports it needs, and the pipeline.
 */
export type {
  PlainAnswer,
  StreamAnswer,
  StreamFrame,
} from './model/answer.ts';
export type { CacheSelection } from './model/cache-selection.ts';
export type { CanonicalChunk } from './model/canonical.ts';
export { asGatewayError, type ErrorCode, GatewayError } from './model/errors.ts';
export { type Credential, Exchange } from './model/exchange.ts';
export type { LimitLease } from './model/holds.ts';
export type { CacheStatus, LedgerEntry } from './model/ledger-entry.ts';
export type { Budget, BudgetPeriod, CacheUse, Limits, Principal, Role } from './model/principal.ts';
export { MODELS_SCOPE } from './model/principal.ts';
export {
  type CacheControl,
  type InferenceRequest,
  NO_CACHE_CONTROL,
  type Thread,
} from './model/request.ts';
export type { Experiment, ModelListing } from './model/route.ts';
export type { Dialect, Operation, Target } from './model/target.ts';
export type { Allowance, Terms } from './model/terms.ts';
export type { Trace } from './model/trace.ts';
export type { Usage } from './model/usage.ts';
export { principalOf } from './pipeline/authenticate.ts';
export type { Explain } from './pipeline/explain.ts';
export type {
  ExplainedRejection,
  ExplainedTarget,
  Explanation,
} from './pipeline/explanation.ts';
export { createPipeline } from './pipeline/index.ts';
export type { Handler as PipelineHandler } from './pipeline/stage.ts';
export type { Authentication, Authenticator, CallerAddress } from './ports/authenticator.ts';
export type { BodyStore, KeptBodies, KeptBody } from './ports/body-store.ts';
export type { AnswerCodec, AnswerCodecs, StreamEncoder } from './ports/codec.ts';
export type {
  LedgerFilter,
  LedgerQueries,
  UsageDimension,
  UsageRow,
} from './ports/ledger-query.ts';
export type { LimitStore } from './ports/limit-store.ts';
export type { PlacePrompt } from './ports/prompts.ts';
export type { KeptResponse, ResponseStore } from './ports/response-store.ts';
export type { Routes } from './ports/routes.ts';
export type { Threads } from './ports/threads.ts';
