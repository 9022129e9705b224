/**
 * The settings of what is written down: the ledger and its journal, what is kept of requests and
 * answers, the log and the metrics.
 */
import { choice, flag, group, optionalText, whole } from './setting.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const restart = { apply: 'restart' } as const;

export const ledgerGroup = group(
  { apply: 'live', description: 'The record of every exchange: who, what, how much.' },
  {
    retention_days: whole(
      0,
      { min: 0, max: 3650 },
      {
        description:
          'The age at which exchanges leave the ledger; the sums of their days stay. 0 keeps all.',
      },
    ),
  },
);

export const journalGroup = group(
  { ...restart, description: 'The append-only file that makes the ledger crash-safe.' },
  {
    fsync: choice('every_second', ['always', 'every_second', 'off'], {
      description: 'When written entries are forced to the disk.',
    }),
    max_bytes: whole(
      256 * MIB,
      { min: MIB, max: 1024 * GIB },
      {
        description: 'The size at which new exchanges are refused until the database caught up.',
      },
    ),
  },
);

export const captureGroup = group(
  { apply: 'live', description: 'Keeping what was asked and answered, for who may read it.' },
  {
    enabled: flag(false, {
      description: 'Keeps prompts and answers beside the ledger; off, they are never stored.',
    }),
    max_bytes: whole(
      64 * KIB,
      { min: 1, max: MIB },
      {
        description: 'How much is kept of a prompt, and of an answer; a longer one is cut.',
      },
    ),
    retention_days: whole(
      30,
      { min: 1, max: 3650 },
      {
        description: 'The age at which they are erased, also while none are kept any more.',
      },
    ),
  },
);

export const responsesGroup = group(
  { apply: 'live', description: 'Answers of `/v1/responses` that clients go on from.' },
  {
    retention_days: whole(
      30,
      { min: 1, max: 3650 },
      {
        description: 'The age at which they are erased.',
      },
    ),
    max_entry_bytes: whole(
      8 * MIB,
      { min: KIB, max: 64 * MIB },
      {
        description: 'The largest answer, with what was sent for it, that is kept.',
      },
    ),
  },
);

export const idempotencyGroup = group(
  { apply: 'live', description: 'Requests that carry an `Idempotency-Key`.' },
  {
    enabled: flag(true, {
      description: 'The same request under the same key runs once; off, the header means nothing.',
    }),
    retention_hours: whole(
      24,
      { min: 1, max: 720 },
      {
        description: 'How long an answer is kept.',
      },
    ),
    max_entry_bytes: whole(
      MIB,
      { min: KIB, max: 64 * MIB },
      {
        description: 'The largest answer that is kept; a larger one is given and runs again.',
      },
    ),
    max_entries: whole(
      10_000,
      { min: 1, max: 10_000_000 },
      {
        description: 'Answers kept for one tenant; the oldest go first.',
      },
    ),
    max_bytes: whole(
      64 * MIB,
      { min: KIB, max: 64 * GIB },
      {
        description: 'Bytes of answers kept for one tenant; the oldest go first.',
      },
    ),
  },
);

export const logGroup = group(
  { description: 'The log.' },
  {
    level: choice('info', ['debug', 'info', 'warn', 'error'], {
      apply: 'live',
      env: ['LOG_LEVEL'],
      spellings: { warning: 'warn' },
      description: 'The least severe level that is written.',
    }),
    structured: flag(true, {
      ...restart,
      env: ['ENABLE_STRUCTURED_LOGGING'],
      killSwitch: true,
      description: 'JSON lines; off, plain text: `time - name - level - message`, then fields.',
    }),
  },
);

export const metricsGroup = group(
  { apply: 'live', description: 'Metrics for Prometheus.' },
  {
    enabled: flag(true, {
      env: ['ENABLE_PROMETHEUS_METRICS'],
      killSwitch: true,
      description: 'Serves `GET /metrics`; off, it answers 404.',
    }),
    key: optionalText(/^[\x21-\x7e]{8,512}$/, {
      apply: 'restart',
      env: ['ESCLUSA_METRICS_KEY'],
      secret: true,
      accepts: '8 to 512 printable ASCII characters without spaces, at least 32 in production',
      description: 'An API key that may read metrics and nothing else, valid from the first start.',
    }),
  },
);
