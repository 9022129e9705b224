/**
 * The dashboard of what was found at start, of flags, and of the state of processes.
 */
import { graph, rate, stat } from './panels.mjs';

/** @type {import('./panels.mjs').Dashboard} */
export const operations = {
  uid: 'esclusa-operations',
  title: 'Esclusa: start-up, flags and state',
  description: 'What was found at start, which flags are on, what is degraded, and what runs.',
  panels: [
    graph('Checks at start', 'short', {
      '{{check}} {{status}}': 'sum by (check, status) (startup_check_status)',
    }),
    graph('Time of the checks at start', 's', {
      '{{check}}': 'max by (check) (startup_check_duration_seconds)',
    }),
    graph('Flags: the share for which each is on', 'percent', {
      '{{flag}}': 'max by (flag) (esclusa_flag_percentage)',
    }),
    graph('Flags: processes that do not agree yet', 'percent', {
      '{{flag}}':
        'max by (flag) (esclusa_flag_percentage) - min by (flag) (esclusa_flag_percentage)',
    }),
    graph('Flags: what plans decided in the last hour', 'short', {
      '{{decision}}': 'sum by (decision) (increase(esclusa_rollout_decisions_total[1h]))',
    }),
    graph('Background jobs', 'short', { '{{state}}': 'max by (state) (esclusa_jobs)' }),
    graph('Background jobs: the eldest that is due', 's', {
      due: 'max(esclusa_jobs_oldest_due_seconds)',
    }),
    graph('Background jobs that ended', 'ops', {
      '{{kind}} {{outcome}}': rate('esclusa_job_runs_total', 'kind, outcome'),
    }),
    graph('Degraded parts', 'short', { '{{part}}': 'max by (part) (esclusa_degraded)' }),
    graph('Running since', 's', {
      '{{instance}}': 'time() - max by (instance) (process_start_time_seconds)',
    }),
    graph('Generation of the configuration', 'short', {
      '{{instance}}': 'max by (instance) (esclusa_config_generation)',
    }),
    graph('Processes', 'short', {
      scraped: 'sum(up{job="esclusa"})',
      'known to Redis': 'max(esclusa_processes)',
    }),
    stat('Runtime', 'short', { '{{version}}': 'count by (version) (nodejs_version_info)' }),
    graph('Prompts and answers dropped on their way to be kept', 'ops', {
      '{{instance}}': rate('esclusa_bodies_dropped_total', 'instance'),
    }),
  ],
};
