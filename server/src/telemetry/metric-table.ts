/**
 * Every metric there is: name, help, type, labels, buckets, and how the figures of several
 * processes become one.
 *
 * Invariant: a label takes few values. Those that come from outside (`open`) collapse into
 * `other` once a metric has `maxSeries` of them; no label ever holds a tenant, key or user.
 * Times are seconds, money nano-dollars. The `gen_ai_…` names follow OpenTelemetry's
 * conventions for generative AI.
 */
import { counter, gauge, histogram } from './metric-spec.ts';

/** Of models: long, because answers take minutes. */
const MODEL_SECONDS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92, 163.84,
];
/** Of our own work. */
const OVERHEAD_SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1,
];
const STATEMENT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];
const HTTP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];
const TOKENS = [1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536, 262_144, 1_048_576];

const TARGET = ['model', 'provider'] as const;
const GEN_AI = ['gen_ai_operation_name', 'gen_ai_provider_name', 'gen_ai_request_model'] as const;
const GEN_AI_OPEN = ['gen_ai_provider_name', 'gen_ai_request_model'] as const;

export const METRICS = {
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
  // Background jobs
  jobs: gauge(
    'esclusa_jobs',
    'Background jobs of the installation by state, as seen lately; `dead` were given up.',
    ['state'],
    [],
    'max',
  ),
  jobsDue: gauge(
    'esclusa_jobs_oldest_due_seconds',
    'How long the eldest background job that is due waits.',
    [],
    [],
    'max',
  ),
  jobRuns: counter(
    'esclusa_job_runs_total',
    'Background jobs that ended here, by what became of them.',
    ['kind', 'outcome'],
  ),
  reservationsOpen: gauge('esclusa_reservations_open', 'Reservations not settled yet.', []),
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
  // Redis
  redisOperations: counter('redis_operations_total', 'Operations on Redis, also those refused.', [
    'store',
    'operation',
  ]),
  redisErrors: counter('redis_errors_total', 'Operations on Redis that failed, and how.', [
    'store',
    'operation',
    'error_type',
  ]),
  redisDuration: histogram(
    'redis_operation_duration_seconds',
    'Time an operation on Redis took that was answered.',
    ['store', 'operation'],
    [],
    OVERHEAD_SECONDS,
  ),
  redisUp: gauge('redis_up', '1 while a store on Redis is available.', ['store'], [], 'min'),
  // The edge
  httpRequests: counter(
    'http_requests_total',
    'HTTP requests by route template and real status.',
    ['method', 'endpoint', 'status'],
    ['endpoint'],
  ),
  httpDuration: histogram(
    'http_request_duration_seconds',
    'HTTP requests from first byte to last.',
    ['method', 'endpoint'],
    ['endpoint'],
    HTTP_SECONDS,
  ),
  // What must not be lost
  journalBacklogBytes: gauge('esclusa_journal_backlog_bytes', 'Journalled, not yet stored.', []),
  journalBacklogAge: gauge(
    'esclusa_journal_backlog_age_seconds',
    'Age of the oldest entry journalled and not yet stored.',
    [],
    [],
    'max',
  ),
  databaseConnections: gauge(
    'esclusa_database_connections',
    'Connections of a pool: checked out, idle, still free; and callers that wait for one.',
    ['pool', 'state'],
  ),
  dbQueries: counter(
    'db_queries_total',
    'Statements on the database, also those that failed; batches of the ledger are one.',
    ['operation', 'table'],
    ['table'],
  ),
  dbDuration: histogram(
    'db_query_duration_seconds',
    'Time a statement took that was answered.',
    ['operation', 'table'],
    ['table'],
    STATEMENT_SECONDS,
  ),
  dbErrors: counter(
    'db_errors_total',
    'Statements on the database that failed, and how.',
    ['operation', 'error_type'],
    ['error_type'],
  ),
  databaseUp: gauge('esclusa_database_up', '1 while the database answers.', [], [], 'min'),
  bodiesDropped: counter(
    'esclusa_bodies_dropped_total',
    'Exchanges whose prompt and answer were dropped on their way to be kept.',
    [],
  ),
  journalFailing: gauge(
    'esclusa_journal_failing',
    '1 while the journal, or the way from it to the database, does not take entries.',
    ['stage'],
    [],
    'max',
  ),
  degraded: gauge(
    'esclusa_degraded',
    '1 for each part that works with less than it should have.',
    ['part'],
    [],
    'max',
  ),
  configGeneration: gauge(
    'esclusa_config_generation',
    'Generation of the configuration in force.',
    [],
    [],
    'min',
  ),
  logLinesDropped: counter('esclusa_log_lines_dropped_total', 'Log lines lost.', []),
  rolloutDecisions: counter(
    'esclusa_rollout_decisions_total',
    'Steps of plans that raise flags: advance, complete, roll_back.',
    ['decision'],
  ),
  // The start
  startupCheckDuration: gauge(
    'startup_check_duration_seconds',
    'Time a check at start took.',
    ['check'],
    ['check'],
    'max',
  ),
  startupCheckStatus: gauge(
    'startup_check_status',
    '1 for what a check at start came to: pass, warning or fail.',
    ['check', 'status'],
    ['check'],
    'max',
  ),
  // The process
  workerRestarts: counter(
    'esclusa_worker_restarts_total',
    'Workers that took the place of one that ended.',
    [],
  ),
  cpuSeconds: counter('process_cpu_seconds_total', 'CPU time, user and system.', []),
  residentMemory: gauge('process_resident_memory_bytes', 'Resident memory.', []),
  startTime: gauge(
    'process_start_time_seconds',
    'Start of the process, since the epoch.',
    [],
    [],
    'min',
  ),
  heapUsed: gauge('nodejs_heap_size_used_bytes', 'Used heap.', []),
  heapTotal: gauge('nodejs_heap_size_total_bytes', 'Allocated heap.', []),
  externalMemory: gauge('nodejs_external_memory_bytes', 'Memory outside the heap.', []),
  eventLoopUtilization: gauge(
    'nodejs_eventloop_utilization',
    'Share of time the event loop was busy, since the last scrape.',
    [],
    [],
    'max',
  ),
  eventLoopLag: gauge(
    'nodejs_eventloop_lag_seconds',
    'Delay of the event loop since the last scrape, beyond the interval it is measured at.',
    ['quantile'],
    [],
    'max',
  ),
  version: gauge('nodejs_version_info', 'Version of the runtime.', ['version'], [], 'first'),
} as const;

export type MetricKey = keyof typeof METRICS;
