/**
 * The settings of the cache of answers, and which of them a model may set again.
 */
import { choice, flag, group, overridesOf, whole } from './setting.ts';

const DAY_SECONDS = 86_400;
const MIB = 1024 * 1024;
const KEPT = { min: 1, max: 30 * DAY_SECONDS };

/** Data beside answers, by what it is. */
const APPLICATIONS = 'the applications';

export const cacheGroup = group(
  { apply: 'live', description: 'The cache of answers.' },
  {
    enabled: flag(true, {
      env: ['LLM_CACHE_ENABLED'],
      description: 'Keeps complete answers to deterministic requests; off, everything bypasses.',
    }),
    ttl_seconds: whole(
      3600,
      { min: 1, max: 30 * DAY_SECONDS },
      {
        env: ['LLM_CACHE_TTL'],
        description: 'How long an answer is fresh.',
      },
    ),
    stale_if_error_seconds: whole(
      DAY_SECONDS,
      { min: 0, max: 30 * DAY_SECONDS },
      {
        description: 'How long after that it may still be served while every target is down.',
      },
    ),
    stale_while_revalidate_seconds: whole(
      0,
      { min: 0, max: 30 * DAY_SECONDS },
      {
        description: 'How long after that it is served at once and renewed behind the answer.',
      },
    ),
    mode: choice('deterministic', ['deterministic', 'requested', 'always'], {
      description:
        'Which answers are kept without their client’s asking: those at temperature 0 and' +
        ' embeddings, none, or all.',
    }),
    max_entry_bytes: whole(
      MIB,
      { min: 1, max: 64 * MIB },
      {
        description: 'The largest answer that is kept.',
      },
    ),
    max_entries: whole(
      1000,
      { min: 1, max: 10_000_000 },
      {
        apply: 'restart',
        env: ['LLM_CACHE_MAX_ENTRIES'],
        description: 'Answers kept in the memory of one process.',
      },
    ),
    max_bytes: whole(
      32 * MIB,
      { min: 1, max: 64 * 1024 * MIB },
      {
        apply: 'restart',
        description: 'Bytes of answers kept in the memory of one process.',
      },
    ),
    backend: choice('auto', ['auto', 'memory', 'redis'], {
      apply: 'restart',
      env: ['LLM_CACHE_BACKEND'],
      description: '`auto`: memory, with Redis behind it where there is one.',
    }),
    redis: flag(true, {
      apply: 'restart',
      env: ['ENABLE_REDIS_CACHE'],
      killSwitch: true,
      description: 'Off, answers stay in memory although there is a Redis.',
    }),
    data_ttl_seconds: whole(300, KEPT, {
      env: ['CACHE_DEFAULT_TTL'],
      usedBy: APPLICATIONS,
      description: 'How long looked-up data other than answers is kept.',
    }),
    tenant_ttl_seconds: whole(300, KEPT, {
      usedBy: APPLICATIONS,
      description: 'How long what is known of a tenant is kept.',
    }),
    record_ttl_seconds: whole(3600, KEPT, {
      usedBy: APPLICATIONS,
      description: 'How long one record of an application is kept.',
    }),
    list_ttl_seconds: whole(600, KEPT, {
      usedBy: APPLICATIONS,
      description: 'How long a list of records is kept.',
    }),
  },
);

/** What a model may set again. */
export const cacheOverrides = overridesOf(
  cacheGroup,
  [
    'enabled',
    'mode',
    'ttl_seconds',
    'stale_if_error_seconds',
    'stale_while_revalidate_seconds',
    'max_entry_bytes',
  ],
  { description: 'Overrides `cache`.' },
);
