/**
 * The dashboard of the database and of the journal in front of it.
 */
import { graph, quantile, rate } from './panels.mjs';

/** @type {import('./panels.mjs').Dashboard} */
export const database = {
  uid: 'esclusa-database',
  title: 'Esclusa: database and journal',
  description: 'Statements, pools, and how far the ledger is behind its journal.',
  panels: [
    graph('Statements', 'ops', {
      '{{operation}} {{table}}': rate('db_queries_total', 'operation, table'),
    }),
    graph('Time of a statement (p95)', 's', {
      '{{operation}} {{table}}': quantile(0.95, 'db_query_duration_seconds', 'operation, table'),
    }),
    graph('Statements that failed', 'ops', {
      '{{operation}} {{error_type}}': rate('db_errors_total', 'operation, error_type'),
    }),
    graph('Connections', 'short', {
      '{{pool}} {{state}}': 'sum by (pool, state) (esclusa_database_connections)',
    }),
    graph('Journal: not stored yet', 'bytes', {
      '{{instance}}': 'max by (instance) (esclusa_journal_backlog_bytes)',
    }),
    graph('Journal: age of the oldest entry', 's', {
      '{{instance}}': 'max by (instance) (esclusa_journal_backlog_age_seconds)',
    }),
    graph('The database answers', 'short', {
      '{{instance}}': 'min by (instance) (esclusa_database_up)',
    }),
    graph('The journal fails', 'short', {
      '{{instance}} {{stage}}': 'max by (instance, stage) (esclusa_journal_failing)',
    }),
  ],
};
