/**
 * What the dashboards show: panels by title, unit and expressions.
 */
import { operations } from './dashboard-operations.mjs';
import { quantile, rate } from './dashboard-queries.mjs';

/** @type {import('./dashboard-queries.mjs').Dashboard} */
const gateway = {
  uid: 'esclusa-gateway',
  title: 'Esclusa: gateway',
  description: 'Requests, how long they take, what fails, and what providers do.',
  panels: [
    {
      title: 'Requests to models',
      unit: 'reqps',
      queries: { '{{model}} {{status}}': rate('esclusa_requests_total', 'model, status') },
    },
    {
      title: 'Share of 5xx',
      unit: 'percentunit',
      queries: {
        'all routes':
          `${rate('http_requests_total{status=~"5.."}')} / ` + rate('http_requests_total'),
      },
    },
    {
      title: 'Duration of routes that call no model',
      unit: 's',
      queries: Object.fromEntries(
        [0.5, 0.95, 0.99].map((share) => [
          `p${share * 100}`,
          quantile(share, 'http_request_duration_seconds', '', '{endpoint!~"/v1/.*|/v1beta/.*"}'),
        ]),
      ),
    },
    {
      title: 'First token',
      unit: 's',
      queries: {
        'p50 {{model}}': quantile(0.5, 'esclusa_first_token_seconds', 'model'),
        'p95 {{model}}': quantile(0.95, 'esclusa_first_token_seconds', 'model'),
      },
    },
    {
      title: 'Added by the gateway',
      unit: 's',
      queries: {
        p50: quantile(0.5, 'esclusa_overhead_seconds'),
        p99: quantile(0.99, 'esclusa_overhead_seconds'),
      },
    },
    {
      title: 'In flight and waiting',
      unit: 'short',
      queries: {
        'in flight': 'sum(esclusa_requests_in_flight)',
        waiting: 'sum(esclusa_requests_queued)',
      },
    },
    {
      title: 'Errors by code',
      unit: 'reqps',
      queries: { '{{code}}': rate('esclusa_errors_total', 'code') },
    },
    {
      title: 'Calls to providers',
      unit: 'reqps',
      queries: { '{{provider}} {{result}}': rate('esclusa_attempts_total', 'provider, result') },
    },
    {
      title: 'Time of calls (p95)',
      unit: 's',
      queries: { '{{model}}': quantile(0.95, 'openai_request_duration_seconds', 'model') },
    },
    {
      title: 'Retries and failovers',
      unit: 'reqps',
      queries: { '{{provider}} {{kind}}': rate('esclusa_retries_total', 'provider, kind') },
    },
    {
      title: 'Breakers (0 closed, 1 open, 2 half-open)',
      unit: 'short',
      queries: { '{{name}}': 'max by (name) (circuit_breaker_state)' },
    },
    {
      title: 'Failures that breakers counted',
      unit: 'reqps',
      queries: { '{{name}}': rate('circuit_breaker_failures_total', 'name') },
    },
    {
      title: 'Time breakers were open',
      unit: 'percentunit',
      queries: { '{{name}}': rate('circuit_breaker_open_seconds_total', 'name') },
    },
    {
      title: 'Refused by limits',
      unit: 'reqps',
      queries: { '{{reason}}': rate('esclusa_limit_refusals_total', 'reason') },
    },
    {
      title: 'CPU of a process',
      unit: 'percentunit',
      queries: { '{{instance}}': rate('process_cpu_seconds_total', 'instance') },
    },
    {
      title: 'Memory of a process',
      unit: 'bytes',
      queries: { '{{instance}}': 'max by (instance) (process_resident_memory_bytes)' },
    },
    {
      title: 'Delay of the event loop (p99)',
      unit: 's',
      queries: {
        '{{instance}}': 'max by (instance) (nodejs_eventloop_lag_seconds{quantile="0.99"})',
      },
    },
    {
      title: 'Log lines by level',
      unit: 'ops',
      queries: { '{{level}}': rate('esclusa_log_lines_total', 'level') },
    },
    {
      title: 'Log lines lost',
      unit: 'reqps',
      queries: { '{{instance}}': rate('esclusa_log_lines_dropped_total', 'instance') },
    },
  ],
};

/** @type {import('./dashboard-queries.mjs').Dashboard} */
const cost = {
  uid: 'esclusa-cost',
  title: 'Esclusa: cost',
  description: 'What is spent, on what, and what budgets did. By key and tenant: the ledger.',
  panels: [
    {
      title: 'Spent in the last 24 hours',
      unit: 'currencyUSD',
      kind: 'stat',
      queries: { total: 'sum(increase(esclusa_cost_nanousd_total[24h])) / 1e9' },
    },
    {
      title: 'Dollars an hour',
      unit: 'currencyUSD',
      queries: { '{{model}}': `${rate('esclusa_cost_nanousd_total', 'model')} * 3600 / 1e9` },
    },
    {
      title: 'Tokens',
      unit: 'short',
      queries: { '{{direction}}': rate('esclusa_tokens_total', 'direction') },
    },
    {
      title: 'Tokens by model',
      unit: 'short',
      queries: {
        '{{model}}': rate('esclusa_tokens_total{direction=~"input|output"}', 'model'),
      },
    },
    {
      title: 'Refused by budgets',
      unit: 'reqps',
      queries: { '{{reason}}': rate('esclusa_budget_refusals_total', 'reason') },
    },
    {
      title: 'Budgets passed that only warn',
      unit: 'reqps',
      queries: { requests: rate('esclusa_budget_warnings_total') },
    },
    {
      title: 'Calls without a price',
      unit: 'reqps',
      queries: { '{{model}}': rate('esclusa_unpriced_total', 'model') },
    },
    {
      title: 'Reservations open, bookings waiting',
      unit: 'short',
      queries: {
        reservations: 'sum(esclusa_reservations_open)',
        bookings: 'sum(esclusa_bookings_waiting)',
      },
    },
  ],
};

/** @type {import('./dashboard-queries.mjs').Dashboard} */
const cache = {
  uid: 'esclusa-cache',
  title: 'Esclusa: cache and Redis',
  description: 'What the cache saves, and how Redis does.',
  panels: [
    {
      title: 'Answered without a provider',
      unit: 'percentunit',
      queries: {
        share:
          `${rate('esclusa_cache_requests_total{result=~"HIT|JOIN|STALE"}')} / ` +
          rate('esclusa_cache_requests_total{result!="BYPASS"}'),
      },
    },
    {
      title: 'Requests by what the cache did',
      unit: 'reqps',
      queries: { '{{result}}': rate('esclusa_cache_requests_total', 'result') },
    },
    {
      title: 'Tiers',
      unit: 'ops',
      queries: { '{{tier}} {{result}}': rate('esclusa_cache_operations_total', 'tier, result') },
    },
    {
      title: 'Bytes stored',
      unit: 'Bps',
      queries: { '{{form}}': rate('esclusa_cache_stored_bytes_total', 'form') },
    },
    {
      title: 'Redis: operations',
      unit: 'ops',
      queries: { '{{store}} {{operation}}': rate('redis_operations_total', 'store, operation') },
    },
    {
      title: 'Redis: time (p99)',
      unit: 's',
      queries: { '{{store}}': quantile(0.99, 'redis_operation_duration_seconds', 'store') },
    },
    {
      title: 'Redis: errors',
      unit: 'ops',
      queries: { '{{store}} {{error_type}}': rate('redis_errors_total', 'store, error_type') },
    },
    {
      title: 'Redis: available',
      unit: 'short',
      queries: { '{{store}}': 'min by (store) (redis_up)' },
    },
    {
      title: 'Limits decided without Redis',
      unit: 'ops',
      queries: { decisions: rate('esclusa_limits_decided_alone_total') },
    },
    {
      title: 'Redis: memory (redis_exporter)',
      unit: 'bytes',
      queries: {
        'used {{instance}}': 'redis_memory_used_bytes',
        'limit {{instance}}': 'redis_memory_max_bytes',
      },
    },
  ],
};

/** @type {import('./dashboard-queries.mjs').Dashboard} */
const database = {
  uid: 'esclusa-database',
  title: 'Esclusa: database and journal',
  description: 'Statements, pools, and how far the ledger is behind its journal.',
  panels: [
    {
      title: 'Statements',
      unit: 'ops',
      queries: { '{{operation}} {{table}}': rate('db_queries_total', 'operation, table') },
    },
    {
      title: 'Time of a statement (p95)',
      unit: 's',
      queries: {
        '{{operation}} {{table}}': quantile(0.95, 'db_query_duration_seconds', 'operation, table'),
      },
    },
    {
      title: 'Statements that failed',
      unit: 'ops',
      queries: { '{{operation}} {{error_type}}': rate('db_errors_total', 'operation, error_type') },
    },
    {
      title: 'Connections',
      unit: 'short',
      queries: { '{{pool}} {{state}}': 'sum by (pool, state) (esclusa_database_connections)' },
    },
    {
      title: 'Journal: not stored yet',
      unit: 'bytes',
      queries: { '{{instance}}': 'max by (instance) (esclusa_journal_backlog_bytes)' },
    },
    {
      title: 'Journal: age of the oldest entry',
      unit: 's',
      queries: { '{{instance}}': 'max by (instance) (esclusa_journal_backlog_age_seconds)' },
    },
    {
      title: 'The database answers',
      unit: 'short',
      queries: { '{{instance}}': 'min by (instance) (esclusa_database_up)' },
    },
    {
      title: 'The journal fails',
      unit: 'short',
      queries: { '{{instance}} {{stage}}': 'max by (instance, stage) (esclusa_journal_failing)' },
    },
  ],
};

export const DASHBOARDS = [gateway, cost, cache, database, operations];
