/** The edge, the start and the process itself. */
import { counter, gauge, histogram } from '../metric-spec.ts';

const HTTP_SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

export const PROCESS_METRICS = {
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
