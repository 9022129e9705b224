/**
 * Errors whose cause lies behind the edge: routing, the provider, and the gateway itself. The
 * other half of the catalogue stands in `errors-of-callers.ts`.
 */
import { type ErrorRow, row } from './error-row.ts';

export const SERVICE_ERRORS = {
  // Where it goes
  model_not_found: row(
    404,
    false,
    'No model or alias has this name.',
    '`GET /v1/models` lists the names.',
  ),
  model_unsupported_operation: row(
    400,
    false,
    'The model does not offer this operation.',
    'Choose a model that offers the operation.',
  ),
  no_target_suits: row(
    400,
    false,
    'No target of the model takes this request.',
    'Choose another model, or leave out what the message names.',
  ),
  no_target_available: row(
    503,
    true,
    'Every target of the model is out of service.',
    'Try again after `retry-after`; `/api/v1/circuit-breakers` tells why.',
  ),
  cache_only_miss: row(
    504,
    false,
    'only-if-cached was asked for and nothing is stored.',
    'Leave `only-if-cached` out.',
  ),
  shared_call_lost: row(
    503,
    true,
    'The call whose answer was shared ended before this answer was complete.',
    'Try again; part of the answer may have been received.',
  ),
  response_not_kept: row(
    503,
    true,
    'The answer could not be kept for later requests, and so is not given.',
    'Try again, or send `store: false`; the message says what was in the way.',
  ),
  content_blocked: row(
    400,
    false,
    'A guardrail refused the content.',
    'Change the content the message names.',
  ),
  // What the provider did
  upstream_rejected: row(
    400,
    false,
    'The provider refused the request.',
    'Correct the request as the provider’s message says.',
  ),
  upstream_not_found: row(
    404,
    false,
    'The provider does not know the model.',
    'Check the name of the model in the configuration.',
  ),
  upstream_unprocessable: row(
    422,
    false,
    'The provider could not process the request.',
    'Correct the request as the provider’s message says.',
  ),
  upstream_too_large: row(
    413,
    false,
    'The provider found the request too large.',
    'Send a shorter request.',
  ),
  upstream_rate_limited: row(
    429,
    true,
    'The provider limits the rate.',
    'Try again after `retry-after`, or add a target.',
  ),
  upstream_quota_exhausted: row(
    429,
    false,
    'The quota at the provider is used up.',
    'Top up the account at the provider, or add a target.',
  ),
  upstream_credentials: row(
    502,
    false,
    'The provider refused the gateway’s credentials.',
    'Check the provider’s `api_key` in the configuration.',
  ),
  upstream_failed: row(502, true, 'The provider failed.', 'Try again, or add a target.'),
  upstream_unavailable: row(
    503,
    true,
    'The provider is unavailable or overloaded.',
    'Try again after `retry-after`, or add a target.',
  ),
  upstream_overloaded: row(
    529,
    true,
    'The provider has more requests than it can serve.',
    'Try again after `retry-after`, or add a target.',
  ),
  upstream_unreachable: row(
    502,
    true,
    'The provider could not be reached.',
    'Check `base_url` and the network; `esclusa doctor` tests it.',
  ),
  upstream_timeout: row(
    504,
    true,
    'The provider did not answer in time.',
    'Try again, or raise `resilience.timeouts`.',
  ),
  upstream_invalid: row(
    502,
    true,
    'The provider answered with something unreadable.',
    'Try again; if it lasts, `base_url` may not be a model API.',
  ),
  upstream_truncated: row(
    502,
    true,
    'The provider’s stream ended before its end.',
    'Try again; part of the answer may have been received.',
  ),
  upstream_too_long: row(
    502,
    false,
    'The provider’s answer exceeds a limit.',
    'Ask for less output.',
  ),
  // Ourselves
  client_closed: row(
    499,
    false,
    'The client left before the answer was complete.',
    'None; shown in the ledger and the log only.',
  ),
  deadline_exceeded: row(
    504,
    true,
    'The total time for the request is over.',
    'Ask for less, or raise `resilience.timeouts.total_ms`.',
  ),
  ledger_unavailable: row(
    503,
    true,
    'The exchange cannot be recorded, so it was refused.',
    'Try again; the operator frees space for the journal.',
  ),
  storage_unavailable: row(
    503,
    true,
    'The database does not answer.',
    'Try again; known keys go on working meanwhile.',
  ),
  tenant_moving: row(
    503,
    true,
    'The tenant’s data is being moved to another database.',
    'Try again after `retry-after`; reading goes on meanwhile.',
  ),
  shared_store_unavailable: row(
    503,
    true,
    'The Redis that the processes share does not answer.',
    'Try again; answers are served meanwhile, without what only it can do.',
  ),
  shutting_down: row(
    503,
    true,
    'This process is shutting down.',
    'Try again; another process will answer.',
  ),
  internal_error: row(
    500,
    true,
    'The gateway failed; the log has the details.',
    'Report it with its `request_id`.',
  ),
} as const satisfies Record<string, ErrorRow>;
