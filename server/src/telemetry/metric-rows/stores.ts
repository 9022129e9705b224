/** What is kept and shared: Redis, journal, database, jobs. */

import { counter, gauge, histogram } from '../metric-spec.ts';
import { OVERHEAD_SECONDS } from './shared.ts';

const STATEMENT_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5];

export const STORE_METRICS = {
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
  databasePoolExhausted: gauge(
    'esclusa_database_pool_exhausted',
    '1 while all connections of a pool are in use and callers wait: of any process.',
    ['pool'],
    [],
    'max',
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
  tenantRoutes: counter(
    'esclusa_tenant_routes_total',
    'Questions where a tenant’s data lies: asked, and read from the database to answer.',
    ['result'],
  ),
  tenantDatabases: gauge(
    'esclusa_tenant_databases',
    'Databases of single tenants: open now, and the most that may be.',
    ['state'],
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
  logLines: counter('esclusa_log_lines_total', 'Log lines, by their level.', ['level']),
  logLinesDropped: counter('esclusa_log_lines_dropped_total', 'Log lines lost.', []),
  // Traces
  spansExported: counter('esclusa_trace_spans_exported_total', 'Spans a collector took.', []),
  spansDropped: counter(
    'esclusa_trace_spans_dropped_total',
    'Spans that were not exported: queue_full, unreachable, refused, stopped.',
    ['reason'],
  ),
  spansWaiting: gauge('esclusa_trace_spans_waiting', 'Spans that wait to be exported.', []),
  // Flags
  flagShare: gauge(
    'esclusa_flag_percentage',
    'For what share a flag is on, by what is stored and what the configuration forces off.',
    ['flag'],
    ['flag'],
    'max',
  ),
  rolloutDecisions: counter(
    'esclusa_rollout_decisions_total',
    'Steps of plans that raise flags: advance, complete, roll_back.',
    ['decision'],
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
} as const;
