/**
 * The dashboard of what was found at start, of flags, and of the state of processes.
 */
import { rate } from './dashboard-queries.mjs';

/** @type {import('./dashboard-queries.mjs').Dashboard} */
export const operations = {
  uid: 'esclusa-operations',
  title: 'Esclusa: start-up, flags and state',
  description: 'What was found at start, which flags are on, what is degraded, and what runs.',
  panels: [
    {
      title: 'Checks at start',
      unit: 'short',
      queries: { '{{check}} {{status}}': 'sum by (check, status) (startup_check_status)' },
    },
    {
      title: 'Time of the checks at start',
      unit: 's',
      queries: { '{{check}}': 'max by (check) (startup_check_duration_seconds)' },
    },
    {
      title: 'Flags: the share for which each is on',
      unit: 'percent',
      queries: { '{{flag}}': 'max by (flag) (esclusa_flag_percentage)' },
    },
    {
      title: 'Flags: processes that do not agree yet',
      unit: 'percent',
      queries: {
        '{{flag}}':
          'max by (flag) (esclusa_flag_percentage) - min by (flag) (esclusa_flag_percentage)',
      },
    },
    {
      title: 'Flags: what plans decided in the last hour',
      unit: 'short',
      queries: {
        '{{decision}}': 'sum by (decision) (increase(esclusa_rollout_decisions_total[1h]))',
      },
    },
    {
      title: 'Background jobs',
      unit: 'short',
      queries: { '{{state}}': 'max by (state) (esclusa_jobs)' },
    },
    {
      title: 'Background jobs: the eldest that is due',
      unit: 's',
      queries: { due: 'max(esclusa_jobs_oldest_due_seconds)' },
    },
    {
      title: 'Background jobs that ended',
      unit: 'ops',
      queries: { '{{kind}} {{outcome}}': rate('esclusa_job_runs_total', 'kind, outcome') },
    },
    {
      title: 'Degraded parts',
      unit: 'short',
      queries: { '{{part}}': 'max by (part) (esclusa_degraded)' },
    },
    {
      title: 'Running since',
      unit: 's',
      queries: { '{{instance}}': 'time() - max by (instance) (process_start_time_seconds)' },
    },
    {
      title: 'Generation of the configuration',
      unit: 'short',
      queries: { '{{instance}}': 'max by (instance) (esclusa_config_generation)' },
    },
    {
      title: 'Processes',
      unit: 'short',
      queries: {
        scraped: 'sum(up{job="esclusa"})',
        'known to Redis': 'max(esclusa_processes)',
      },
    },
    {
      title: 'Runtime',
      unit: 'short',
      kind: 'stat',
      queries: { '{{version}}': 'count by (version) (nodejs_version_info)' },
    },
    {
      title: 'Prompts and answers dropped on their way to be kept',
      unit: 'ops',
      queries: { '{{instance}}': rate('esclusa_bodies_dropped_total', 'instance') },
    },
  ],
};
