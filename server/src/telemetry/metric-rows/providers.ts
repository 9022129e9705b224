/** What providers were asked and how they did. */

import { counter, gauge, histogram } from '../metric-spec.ts';
import { MODEL_SECONDS, TARGET } from './shared.ts';

const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];
const GEN_AI = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;
const GEN_AI_OPEN = ['gen_ai_provider_name', 'gen_ai_request_model'] as const;

export const PROVIDER_METRICS = {
  // Providers
  upstreamDuration: histogram(
    'gen_ai_client_operation_duration_seconds',
    'Time an exchange waited for providers.',
    [...GEN_AI, 'error_type'],
    GEN_AI_OPEN,
    MODEL_SECONDS,
  ),
  upstreamTokens: histogram(
    'gen_ai_client_token_usage',
    'Tokens of one exchange that a provider answered.',
    [...GEN_AI, 'gen_ai_token_type'],
    GEN_AI_OPEN,
    TOKENS,
  ),
  attempts: counter(
    'esclusa_attempts_total',
    'Calls to providers, by result: ok, or the code of the error.',
    ['provider', 'result'],
    ['provider'],
  ),
  llmRequests: counter(
    'llm_requests_total',
    'Calls to providers, by the model called.',
    ['provider', 'model', 'operation'],
    TARGET,
  ),
  openaiRequests: counter(
    'openai_requests_total',
    'Calls to models of any provider, under the name that older dashboards know.',
    ['model', 'operation'],
    ['model'],
  ),
  openaiDuration: histogram(
    'openai_request_duration_seconds',
    'Time until the answer of a call, or the first piece of its stream, was there.',
    ['model'],
    ['model'],
    MODEL_SECONDS,
  ),
  openaiErrors: counter(
    'openai_errors_total',
    'Calls to models of any provider that failed, and how.',
    ['model', 'error_type'],
    ['model'],
  ),
  retries: counter(
    'esclusa_retries_total',
    'Attempts after the first of an exchange: at the same target (retry), there with another ' +
      'key (key), or at another target (failover).',
    ['provider', 'kind'],
    ['provider'],
  ),
  keyRefusals: counter(
    'esclusa_provider_key_refusals_total',
    'Calls that a provider refused for their key, by its place in the configuration.',
    ['provider', 'place', 'reason'],
    ['provider', 'place'],
  ),
  upstreamConnections: gauge(
    'esclusa_upstream_connections',
    'Connections to providers and calls on them: connected, running, queued.',
    ['provider', 'state'],
    ['provider'],
  ),
  upstreamConnects: counter(
    'esclusa_upstream_connects_total',
    'Connections to providers opened or tried.',
    ['provider'],
    ['provider'],
  ),
  breakerState: gauge(
    'circuit_breaker_state',
    '0 closed, 1 open, 2 half-open.',
    ['name'],
    ['name'],
    'max',
  ),
  breakerFailures: counter(
    'circuit_breaker_failures_total',
    'Failures a breaker counted.',
    ['name'],
    ['name'],
  ),
  breakerTransitions: counter(
    'circuit_breaker_transitions_total',
    'Changes of state of a breaker.',
    ['name', 'from', 'to'],
    ['name'],
  ),
  breakerOpenSeconds: counter(
    'circuit_breaker_open_seconds_total',
    'Time a breaker spent open.',
    ['name'],
    ['name'],
  ),
} as const;
