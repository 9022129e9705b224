/**
 * The settings of the service itself: where it listens, where its data lies, how it starts and
 * stops, and how its edge takes requests.
 */
import { choice, decimal, flag, group, optionalText, text, whole } from './setting.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

const restart = { apply: 'restart' } as const;

export const serviceShape = {
  environment: choice('development', ['development', 'staging', 'production'], {
    ...restart,
    env: ['ENVIRONMENT'],
    spellings: { dev: 'development', prod: 'production' },
    description: 'The profile. In production the checks are strict and the built-in mock is gone.',
  }),
  service_name: text('esclusa', /^[\w.-]{1,64}$/, {
    ...restart,
    env: ['SERVICE_NAME', 'OTEL_SERVICE_NAME'],
    accepts: 'letters, digits, `_`, `.` and `-`, up to 64',
    description: 'The name of the service in logs and traces.',
  }),
  host: text('127.0.0.1', /^[\w.:-]{1,255}$/, {
    ...restart,
    env: ['HOST', 'SERVER_HOST'],
    accepts: 'an address or a host name',
    description: 'The address to listen on; `0.0.0.0` for every interface.',
  }),
  port: whole(
    8000,
    { min: 0, max: 65_535 },
    {
      ...restart,
      env: ['PORT', 'PROVEEDORES_SERVER_PORT'],
      description: 'The port to listen on; 0 takes a free one.',
    },
  ),
  workers: whole(
    1,
    { min: 1, max: 256 },
    {
      ...restart,
      env: ['ESCLUSA_WORKERS'],
      description: 'Processes that share the port; more than 1 needs a Redis.',
    },
  ),
  data_dir: text('./data', /^[^\0]+$/, {
    ...restart,
    env: ['ESCLUSA_DATA_DIR'],
    accepts: 'a path',
    description: 'The folder of the database file, the journal and generated secrets.',
  }),
  master_secret: optionalText(/^(?=.{32,512}$)[\x21-\x7e]+$/, {
    ...restart,
    env: ['ESCLUSA_MASTER_SECRET'],
    secret: true,
    accepts: '32 to 512 printable ASCII characters without spaces',
    description: 'What all other secrets are derived from; else a file in `data_dir` holds it.',
  }),
  drain_delay_seconds: decimal(
    5,
    { min: 0, max: 3600 },
    {
      description: 'How long a stopping process still accepts requests after it reports not ready.',
    },
  ),
  drain_seconds: decimal(
    30,
    { min: 0, max: 3600 },
    {
      description: 'How long running requests may still take once no new ones are accepted.',
    },
  ),
  max_body_bytes: whole(
    32 * MIB,
    { min: KIB, max: GIB },
    {
      description: 'The largest request body that is accepted.',
    },
  ),
  max_json_depth: whole(
    128,
    { min: 4, max: 1024 },
    {
      description: 'The deepest nesting of a JSON body that is accepted.',
    },
  ),
};

export const httpGroup = group(
  { ...restart, description: 'The inbound edge.' },
  {
    headers_timeout_ms: whole(
      10_000,
      { min: 50, max: 600_000 },
      {
        description: 'From the first byte of a request to the last of its headers.',
      },
    ),
    request_timeout_ms: whole(
      60_000,
      { min: 100, max: 3_600_000 },
      {
        description: 'From the first byte of a request to the last of its body.',
      },
    ),
    keep_alive_ms: whole(
      75_000,
      { min: 0, max: 3_600_000 },
      {
        description:
          'How long an idle connection is kept; longer than any proxy in front keeps it.',
      },
    ),
    stalled_reader_ms: whole(
      60_000,
      { min: 100, max: 3_600_000 },
      {
        description:
          'How long a client may read nothing of an answer before its connection is cut.',
      },
    ),
    trusted_proxies: optionalText(
      /^[0-9a-fA-F:.]+(\/\d{1,3})?(\s*,\s*[0-9a-fA-F:.]+(\/\d{1,3})?)*$/,
      {
        accepts: 'addresses and networks, separated by commas: `10.0.0.0/8, 2001:db8::/32`',
        description: 'Proxies in front, whose `x-forwarded-for` says where a request comes from.',
      },
    ),
    allowed_origins: optionalText(/^[^\s,]+(\s*,\s*[^\s,]+)*$/, {
      env: ['ALLOWED_ORIGINS'],
      accepts:
        'origins such as `https://app.example.com`, separated by commas; `*` for all; in ' +
        'production neither `*` nor this machine',
      description:
        'Pages of other origins that may call from a browser. Cookies are never asked for.',
    }),
    max_in_flight: whole(
      10_000,
      { min: 1, max: 1_000_000 },
      {
        description:
          'Requests to models that one process runs at once; more wait, in turn by tenant.',
      },
    ),
    max_queued: whole(
      1000,
      { min: 0, max: 1_000_000 },
      {
        description: 'Requests that may wait for a place; more are answered with 529.',
      },
    ),
    max_queued_per_tenant: whole(
      100,
      { min: 0, max: 1_000_000 },
      {
        description: 'Requests of one tenant that may wait for a place.',
      },
    ),
    max_queue_wait_ms: whole(
      5000,
      { min: 0, max: 600_000 },
      {
        description: 'The longest wait for a place; it is part of the request’s total time.',
      },
    ),
  },
);

export const startupGroup = group(
  { ...restart, description: 'Checks at start.' },
  {
    validation: flag(true, {
      env: ['ENABLE_STARTUP_VALIDATION'],
      killSwitch: true,
      description: 'Checks what the service depends on before it listens.',
    }),
    mode: choice('fail', ['fail', 'degraded'], {
      env: ['STARTUP_MODE'],
      description:
        'Whether a critical check that fails ends the start. Without its database nothing starts.',
    }),
    fail_on_warning: flag(false, {
      env: ['STARTUP_FAIL_ON_WARNING'],
      description: 'Treats every warning, of the configuration or of a check, as an error.',
    }),
  },
);

export const flagsGroup = group(
  { ...restart, description: 'Feature flags; they are kept in the database.' },
  {
    rollout_seconds: decimal(
      5,
      { min: 0.1, max: 3600 },
      {
        description: 'How often plans that raise a flag step by step are decided on.',
      },
    ),
  },
);
