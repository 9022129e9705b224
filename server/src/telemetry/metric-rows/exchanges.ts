/** What exchanges came to, and what they cost. */

import { counter, gauge, histogram } from '../metric-spec.ts';
import { MODEL_SECONDS, OVERHEAD_SECONDS, TARGET } from './shared.ts';

export const EXCHANGE_METRICS = {
  // Exchanges
  requests: counter(
    'esclusa_requests_total',
    'Exchanges that ended, by the model asked for, the provider that answered and the status.',
    ['dialect', 'operation', ...TARGET, 'status'],
    TARGET,
  ),
  requestDuration: histogram(
    'esclusa_request_duration_seconds',
    'From the first byte of the request to the last of the answer.',
    ['operation', ...TARGET],
    TARGET,
    MODEL_SECONDS,
  ),
  firstToken: histogram(
    'esclusa_first_token_seconds',
    'From the first byte of the request to the first piece of a streamed answer.',
    TARGET,
    TARGET,
    MODEL_SECONDS,
  ),
  overhead: histogram(
    'esclusa_overhead_seconds',
    'Part of an exchange not spent waiting for a provider.',
    ['operation'],
    [],
    OVERHEAD_SECONDS,
  ),
  inFlight: gauge('esclusa_requests_in_flight', 'Exchanges that run.', []),
  errors: counter('esclusa_errors_total', 'Exchanges that ended in an error, by its code.', [
    'code',
  ]),
  cacheRequests: counter('esclusa_cache_requests_total', 'Exchanges by what the cache did.', [
    'result',
  ]),
  cacheTiers: counter(
    'esclusa_cache_operations_total',
    'What each tier of the cache did: hit, miss, set, error.',
    ['tier', 'result'],
  ),
  cacheBytes: counter(
    'esclusa_cache_stored_bytes_total',
    'Bytes of answers stored in Redis, before (plain) and after (kept) compression.',
    ['form'],
  ),
  // Money and tokens
  tokens: counter(
    'esclusa_tokens_total',
    'Tokens booked; cached_input is part of input, reasoning part of output.',
    [...TARGET, 'direction'],
    TARGET,
  ),
  cost: counter('esclusa_cost_nanousd_total', 'Cost booked, in nano-dollars.', TARGET, TARGET),
  unpriced: counter('esclusa_unpriced_total', 'Exchanges booked without a price.', TARGET, TARGET),
  budgetRefusals: counter('esclusa_budget_refusals_total', 'Exchanges a budget refused.', [
    'reason',
  ]),
  budgetWarnings: counter(
    'esclusa_budget_warnings_total',
    'Exchanges that ran although a budget that only warns is used up.',
    [],
  ),
  requestsQueued: gauge('esclusa_requests_queued', 'Exchanges that wait for a place.', []),
  limitRefusals: counter('esclusa_limit_refusals_total', 'Exchanges a limit refused.', ['reason']),
  limitsDecidedAlone: counter(
    'esclusa_limits_decided_alone_total',
    'Decisions over limits that a process took by its share, because Redis did not decide.',
    [],
  ),
  bookingsWaiting: gauge(
    'esclusa_bookings_waiting',
    'Ended reservations and costs that Redis has not confirmed yet.',
    [],
  ),
  processes: gauge(
    'esclusa_processes',
    'Processes that share the Redis, as far as known.',
    [],
    [],
    'max',
  ),
} as const;
