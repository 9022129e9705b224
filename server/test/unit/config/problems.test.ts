/**
 * Goal: a person can mend a configuration from its messages alone: each says where, what, and
 * what would be accepted, all of them at once, and none shows a secret.
 * Method: a table of bad files and environments with the exact messages.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { problemsOf } from '../../support/config.ts';

interface Case {
  readonly claim: string;
  readonly file?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly problems: readonly string[];
}

const TWO_PROVIDERS = `providers:
  openai: { kind: openai, api_key: k1 }
  claude: { kind: openai-compatible, base_url: https://claude.example.com, api_key: k2 }
`;

const FILES: readonly Case[] = [
  {
    claim: 'a target of an unknown provider',
    file: `${TWO_PROVIDERS}models:\n  fast: { targets: [{ provider: opnai, model: gpt-4o }] }`,
    problems: [
      'esclusa.yaml:5:33 models.fast.targets[0].provider — "opnai" is not a provider ' +
        '(did you mean openai?); configured: openai, claude, mock',
    ],
  },
  {
    claim: 'a role without its model',
    file: `${TWO_PROVIDERS}roles: { router: fast, logic: deepseek/x, human: openai/ }`,
    problems: [
      'esclusa.yaml:4:18 roles.router — "fast" is not a model alias; configured: mock',
      'esclusa.yaml:4:31 roles.logic — "deepseek" is not a provider; ' +
        'configured: openai, claude, mock',
      'esclusa.yaml:4:50 roles.human — "openai/" names no model after the slash',
    ],
  },
  {
    claim: 'an unknown name, close to a known one',
    file: 'cache:\n  ttl_second: 5',
    problems: [
      'esclusa.yaml:2:3 cache.ttl_second — is not a setting (did you mean ' +
        'ttl_seconds?); accepted here: enabled, ttl_seconds, stale_if_error_seconds, ' +
        'stale_while_revalidate_seconds, mode, ' +
        'max_entry_bytes, max_entries, max_bytes, backend, redis, data_ttl_seconds, ' +
        'tenant_ttl_seconds, record_ttl_seconds, list_ttl_seconds',
    ],
  },
  {
    claim: 'an unknown name inside one kind of provider',
    file: 'providers: { demo: { kind: mock, api_key: k } }',
    problems: [
      'esclusa.yaml:1:34 providers.demo.api_key — is not a setting; accepted here: kind, ' +
        'first_token_delay_ms, token_delay_ms, breaker, timeouts, retry, max_concurrency',
    ],
  },
  {
    claim: 'numbers outside of their range or no numbers',
    file: 'port: 70000\nmax_json_depth: "128"\nresilience: { retry: { budget_ratio: 1.5 } }',
    problems: [
      'esclusa.yaml:1:7 port — 70000 is not accepted; accepted: a whole number from 0 to 65535',
      'esclusa.yaml:2:17 max_json_depth — "128" is not accepted; ' +
        'accepted: a whole number from 4 to 1024',
      'esclusa.yaml:3:38 resilience.retry.budget_ratio — 1.5 is not accepted; ' +
        'accepted: a number from 0 to 1',
    ],
  },
  {
    claim: 'a choice that does not exist, and an empty value',
    file: 'log: { level: verbose }\njournal: { fsync: }',
    problems: [
      'esclusa.yaml:1:15 log.level — "verbose" is not accepted; accepted: debug, info, warn, error',
      'esclusa.yaml:2:19 journal.fsync — an empty value is not accepted; ' +
        'accepted: always, every_second, off',
    ],
  },
  {
    claim: 'a boolean that is none',
    file: 'capture: { enabled: maybe }',
    problems: [
      'esclusa.yaml:1:21 capture.enabled — "maybe" is not accepted; ' +
        'accepted: true, 1, yes, on, false, 0, no, off',
    ],
  },
  {
    claim: 'a kind this release does not have, and none at all',
    file: 'providers: { a: { kind: opennai }, b: { base_url: http://x } }',
    problems: [
      'esclusa.yaml:1:25 providers.a.kind — "opennai" is not accepted (did you mean openai?); ' +
        'accepted: openai, openai-compatible, azure-openai, anthropic, gemini, ollama, mock',
      'esclusa.yaml:1:39 providers.b.kind — is missing; ' +
        'accepted: openai, openai-compatible, azure-openai, anthropic, gemini, ollama, mock',
    ],
  },
  {
    claim: 'a mapping where there is none, and the other way round',
    file: 'models: [fast]\nport: { a: 1 }',
    problems: [
      'esclusa.yaml:1:9 models — a list is not accepted; accepted: a mapping',
      'esclusa.yaml:2:7 port — a mapping is not accepted; accepted: a whole number from 0 to 65535',
    ],
  },
  {
    claim: 'an alias with a slash, without targets, or without a model',
    file: `models:
  a/b: { targets: [{ provider: mock, model: mock }] }
  c: { targets: [] }
  d: { targets: [{ provider: mock }] }
  e: {}`,
    problems: [
      'esclusa.yaml:2:8 models["a/b"] — "a/b" is not accepted; accepted: a model alias: letters, ' +
        'digits, `.`, `:`, `_` and `-`, up to 128, beginning with a letter or digit',
      'esclusa.yaml:3:17 models.c.targets — a list is not accepted; ' +
        'accepted: a list of 1 to 32 targets',
      'esclusa.yaml:4:18 models.d.targets[0].model — is missing; ' +
        'accepted: printable ASCII without spaces, up to 256 characters',
      'esclusa.yaml:5:6 models.e.targets — is missing; accepted: a list of 1 to 32 targets',
    ],
  },
  {
    claim: 'prices below zero or finer than can be booked',
    file: `models:
  a:
    targets: [{ provider: mock, model: mock }]
    price: { input_usd_per_million: -1, output_usd_per_million: 0.0000001 }`,
    problems: [
      'esclusa.yaml:4:37 models.a.price.input_usd_per_million — -1 is not accepted; ' +
        'accepted: a number from 0 to 1000000 with at most 6 decimals',
      'esclusa.yaml:4:65 models.a.price.output_usd_per_million — 1e-7 is not accepted; ' +
        'accepted: a number from 0 to 1000000 with at most 6 decimals',
    ],
  },
  {
    claim: 'weights that are all zero',
    file: `models:
  a: { strategy: weighted, targets: [{ provider: mock, model: m, weight: 0 }] }`,
    problems: ['esclusa.yaml:2:37 models.a.targets — every weight is 0; accepted: one above 0'],
  },
  {
    claim: 'time limits that do not fit each other, against a default',
    file: 'resilience: { timeouts: { total_ms: 30000 } }',
    problems: [
      'esclusa.yaml:1:37 resilience.timeouts.total_ms — ' +
        'resilience.timeouts.first_token_ms (60000, the default) must be at most total_ms (30000)',
    ],
  },
  {
    claim: 'time limits that do not fit at one provider or one model',
    file: `providers: { demo: { kind: mock, timeouts: { connect_ms: 60000 } } }
models:
  a:
    targets: [{ provider: demo, model: mock }]
    timeouts: { total_ms: 100000, idle_ms: 100001, first_token_ms: 60001 }`,
    problems: [
      'esclusa.yaml:1:58 providers.demo.timeouts.connect_ms — connect_ms (60000) must be ' +
        'less than resilience.timeouts.first_token_ms (60000, the default)',
      'esclusa.yaml:5:44 models.a.timeouts.idle_ms — idle_ms (100001) must be at most ' +
        'models.a.timeouts.total_ms (100000)',
    ],
  },
  {
    claim: 'breakers of one target that differ between models',
    file: `models:
  a: { targets: [{ provider: mock, model: m }], breaker: { minimum_calls: 2 } }
  b: { targets: [{ provider: mock, model: m }], breaker: { minimum_calls: 3 } }`,
    problems: [
      'esclusa.yaml:3:58 models.b.breaker — differs from models.a.breaker for mock/m; ' +
        'a target has one breaker',
    ],
  },
  {
    claim: 'entries larger than the cache',
    file: 'cache: { max_bytes: 1000 }',
    problems: [
      'esclusa.yaml:1:21 cache.max_bytes — max_entry_bytes (1048576) must be at most ' +
        'cache.max_bytes (1000)',
    ],
  },
  {
    claim: 'a provider without address, key, or vendor',
    file: `providers:
  a: { kind: openai-compatible }
  b: { kind: openai }
  c: { kind: openai-compatible, vendor: deepsek }`,
    problems: [
      'esclusa.yaml:2:6 providers.a.base_url — is missing, and no vendor of the catalogue gives it',
      'esclusa.yaml:3:6 providers.b.api_key — is missing; set it here or in OPENAI_API_KEY',
      'esclusa.yaml:4:41 providers.c.vendor — "deepsek" is not in the catalogue ' +
        '(did you mean deepseek?); known: deepseek, groq, mistral, openrouter, together, ' +
        'fireworks, xai, cerebras, perplexity, vllm, lmstudio, llamacpp',
    ],
  },
  {
    claim: 'a provider that has no address to go by, though its vendor is known',
    file: 'providers: { vllm: { kind: openai-compatible } }',
    problems: [
      'esclusa.yaml:1:20 providers.vllm.base_url — is missing, and no vendor of the catalogue ' +
        'gives it',
    ],
  },
  {
    claim: 'providers that are the gateway itself, by whatever name',
    file: `port: 8000
providers:
  a: { kind: openai-compatible, base_url: http://127.0.0.1:8000/v1 }
  b: { kind: openai-compatible, base_url: http://LOCALHOST:8000 }
  c: { kind: openai-compatible, base_url: http://127.0.0.1:8001/v1 }
  d: { kind: openai-compatible, base_url: http://127.0.0.2:8000/v1 }
  e: { kind: openai-compatible, base_url: "http://[::1]:8000/v1" }`,
    problems: [
      'esclusa.yaml:3:43 providers.a.base_url — http://127.0.0.1:8000/v1 is where this gateway ' +
        'listens: it would call itself; accepted: the address of another server, or another port ' +
        'for this one',
      'esclusa.yaml:4:43 providers.b.base_url — http://LOCALHOST:8000 is where this gateway ' +
        'listens: it would call itself; accepted: the address of another server, or another port ' +
        'for this one',
    ],
  },
  {
    claim: 'a provider that is the gateway on every interface',
    file: `host: 0.0.0.0
port: 80
providers:
  a: { kind: openai-compatible, base_url: "http://[::1]/v1" }
  b: { kind: openai-compatible, base_url: http://10.0.0.1/v1 }
  c: { kind: openai-compatible, base_url: https://localhost/v1 }`,
    problems: [
      'esclusa.yaml:4:43 providers.a.base_url — http://[::1]/v1 is where this gateway ' +
        'listens: it would call itself; accepted: the address of another server, or another port ' +
        'for this one',
    ],
  },
  {
    claim: 'addresses that are none, and headers that are the gateway’s',
    file: `providers:
  a: { kind: openai-compatible, base_url: "ftp://x" }
  b: { kind: openai-compatible, base_url: "http://user:pass@x/v1" }
  c: { kind: mock, headers: { x-a: b } }
  d: { kind: openai-compatible, base_url: http://x, headers: { authorization: b, x-a: "é" } }`,
    problems: [
      'esclusa.yaml:2:43 providers.a.base_url — "ftp://x" is not accepted; ' +
        'accepted: an http or https address without credentials, query or fragment',
      'esclusa.yaml:3:43 providers.b.base_url — "http://user:***@x/v1" is not accepted; ' +
        'accepted: an http or https address without credentials, query or fragment',
      'esclusa.yaml:4:20 providers.c.headers — is not a setting; accepted here: kind, ' +
        'first_token_delay_ms, token_delay_ms, breaker, timeouts, retry, max_concurrency',
      'esclusa.yaml:5:79 providers.d.headers.authorization — "authorization" is not accepted; ' +
        'accepted: a lower-case header name that is neither a credential nor set by the gateway',
      'esclusa.yaml:5:87 providers.d.headers.x-a — the value is not accepted; ' +
        'accepted: up to 4096 printable ASCII characters',
    ],
  },
  {
    claim: 'variables that are missing, and references that are none',
    file: `providers:
  a: { kind: openai, api_key: \${NOT_SET} }
  b: { kind: openai, api_key: "\${A-B}" }
service_name: "\${OPEN"`,
    problems: [
      'esclusa.yaml:2:31 providers.a.api_key — the variable NOT_SET is not set',
      'esclusa.yaml:3:31 providers.b.api_key — ' +
        `\`\${A-B}\` is not a reference; accepted: \`\${NAME}\``,
      'esclusa.yaml:4:15 service_name — ' +
        `\`\${\` has no closing \`}\`; write \`$\${\` for the text itself`,
    ],
  },
  {
    claim: 'a variable that does not hold the number it stands for',
    file: `port: \${P}`,
    env: { P: 'eighty' },
    problems: [
      'esclusa.yaml:1:7 port — "eighty" is not accepted; accepted: a whole number from 0 to 65535',
    ],
  },
  {
    claim: 'text that is not YAML',
    file: 'port: 1\ncache: { ttl_seconds: 5\nlog: {}',
    problems: [
      'esclusa.yaml:3:1 — ' +
        'Flow map in block collection must be sufficiently indented and end with a }',
    ],
  },
  {
    claim: 'one name twice',
    file: 'port: 1\nport: 2',
    problems: ['esclusa.yaml:2:1 — Map keys must be unique'],
  },
  {
    claim: 'something other than a mapping',
    file: '- port: 1',
    problems: ['esclusa.yaml:1:1 — is not a mapping of settings'],
  },
  {
    claim: 'names that could be mistaken for what every object has',
    file: 'log: { constructor: 1 }\nroles: { __proto__: mock }',
    problems: [
      'esclusa.yaml:1:8 log.constructor — is not a setting; accepted here: level, structured',
      'esclusa.yaml:2:10 roles — "__proto__" cannot be a name',
    ],
  },
];

const ENVIRONMENTS: readonly Case[] = [
  {
    claim: 'an unknown name with our prefix',
    env: { ESCLUSA_DATADIR: '/data', OTHER_NAME: 'x' },
    problems: [
      'environment ESCLUSA_DATADIR — is not a name we know (did you mean ' +
        'ESCLUSA_DATA_DIR?); known: ESCLUSA_ADMIN_EMAIL, ESCLUSA_ADMIN_KEY, ' +
        'ESCLUSA_ADMIN_PASSWORD, ESCLUSA_CONFIG, ESCLUSA_DATA_DIR, ESCLUSA_MASTER_SECRET, ' +
        'ESCLUSA_METRICS_KEY, ESCLUSA_WORKERS',
    ],
  },
  {
    claim: 'values that are malformed',
    env: { PORT: '80a', LLM_CACHE_ENABLED: 'si', LOG_LEVEL: 'trace', LLM_CACHE_TTL: '0' },
    problems: [
      'environment LLM_CACHE_ENABLED — "si" is not accepted; ' +
        'accepted: true, 1, yes, on, false, 0, no, off',
      'environment LLM_CACHE_TTL cache.ttl_seconds — 0 is not accepted; ' +
        'accepted: a whole number from 1 to 2592000',
      'environment LOG_LEVEL — "trace" is not accepted; accepted: debug, info, warn, error',
      'environment PORT — "80a" is not accepted; accepted: a whole number from 0 to 65535',
    ],
  },
  {
    claim: 'values of tokens and of later features that are malformed',
    env: { JWT_ALGORITHM: 'none', GF_SECURITY_ADMIN_PASSWORD: 'admin' },
    problems: [
      'environment GF_SECURITY_ADMIN_PASSWORD — the value is not accepted; ' +
        'accepted: any text but `admin`',
      'environment JWT_ALGORITHM — "none" is not accepted; accepted: HS256, HS384, HS512, EdDSA',
    ],
  },
  {
    claim: 'addresses of a PostgreSQL that lead nowhere, without the passwords in them',
    env: {
      DATABASE_URL: 'postgres://u:secret@db/',
      DATABASE_MIGRATION_URL: 'postgres://u:se#cret@db/esclusa',
      DATABASE_WRITER_URL: 'postgres://u:secret@db/esclusa?statement_timeout=0',
      DB_POOL_SIZE: 'big',
    },
    problems: [
      'environment DATABASE_MIGRATION_URL database.migration_url — is not an address; accepted: ' +
        'postgres://role:password@host[:port]/database[?sslmode=…]',
      'environment DATABASE_URL database.url — names no database; accepted: ' +
        'postgres://role:password@host[:port]/database[?sslmode=…]',
      'environment DATABASE_WRITER_URL database.writer_url — has the parameter ' +
        '"statement_timeout"; accepted: postgres://role:password@host[:port]/database[?sslmode=…]',
      'environment DB_POOL_SIZE — "big" is not accepted; accepted: a whole number from 1 to 10000',
    ],
  },
  {
    claim: 'statements in the log of a production',
    env: { DATABASE_URL: 'postgres://u:p@db/x', DB_ECHO: 'yes', ENVIRONMENT: 'production' },
    problems: ['environment DB_ECHO database.echo — is on in production; accepted: false'],
  },
  {
    claim: 'several workers without a Redis',
    env: { ESCLUSA_WORKERS: '4' },
    problems: [
      'environment ESCLUSA_WORKERS workers — 4 workers need a Redis that they share: set ' +
        'redis.url (REDIS_URL); accepted without: 1',
    ],
  },
  {
    claim: 'several workers and a Redis that leads nowhere',
    env: { ESCLUSA_WORKERS: '4', REDIS_URL: 'redis://r?x=1' },
    problems: [
      'environment REDIS_URL redis.url — has a query, which has no meaning here; accepted: ' +
        'redis://[user:password@]host[:port][/database]',
    ],
  },
  {
    claim: 'a Redis that is named in two ways, or not by its whole name',
    env: {
      REDIS_URL: 'redis://:secret@r:6379/0',
      REDIS_SENTINELS: 's1:26379,s2:26379',
      REDIS_STATE_URL: 'redis://:secret@r/first',
    },
    problems: [
      'environment REDIS_SENTINELS redis.sentinels — needs redis.sentinel_name, the name they know',
      'environment REDIS_STATE_URL redis.state_url — must end in the host, or in the number of a ' +
        'database; accepted: redis://[user:password@]host[:port][/database]',
      'environment REDIS_URL redis.url — names another place than redis.sentinels: unset one',
    ],
  },
  {
    claim: 'a cache on a Redis that there is not, and a Redis for counters alone',
    env: { LLM_CACHE_BACKEND: 'redis', REDIS_STATE_URL: 'redis://r' },
    problems: [
      'environment LLM_CACHE_BACKEND cache.backend — "redis" needs a Redis: set redis.url ' +
        '(REDIS_URL); accepted: auto, memory',
      'environment REDIS_STATE_URL redis.state_url — is set, and redis.url is not',
    ],
  },
  {
    claim: 'addresses of databases that are none, without their password',
    env: { DATABASE_URL: 'mysql://u:secret@db/x' },
    problems: [
      'environment DATABASE_URL database.url — "mysql://u:***@db/x" is not accepted; ' +
        'accepted: a `sqlite:`, `file:`, `postgres:` or `postgresql:` address',
    ],
  },
  {
    claim: 'a database in memory',
    env: { DATABASE_URL: 'sqlite:///:memory:' },
    problems: [
      'environment DATABASE_URL database.url — does not name a file; ' +
        'accepted: `sqlite:relative.db`, `sqlite:/absolute.db`',
    ],
  },
  {
    claim: 'what is no origin',
    env: { ALLOWED_ORIGINS: 'https://app.example.com, app.example.com, https://x.example/path' },
    problems: [
      'environment ALLOWED_ORIGINS http.allowed_origins — "app.example.com" is no origin; ' +
        'accepted: https://app.example.com',
      'environment ALLOWED_ORIGINS http.allowed_origins — "https://x.example/path" is no ' +
        'origin; accepted: https://app.example.com',
    ],
  },
  {
    claim: 'what production does not allow',
    env: {
      ENVIRONMENT: 'production',
      JWT_SECRET_KEY: 'CHANGE_THIS_IN_PRODUCTION',
      AUTH_MODE: 'dev',
      DEBUG: 'true',
      ALLOWED_ORIGINS: 'https://app.example.com, http://localhost:3000',
      ESCLUSA_ADMIN_KEY: 'short-key',
    },
    problems: [
      'environment ALLOWED_ORIGINS http.allowed_origins — "http://localhost:3000" is not ' +
        'accepted in production',
      'environment AUTH_MODE auth.mode — is dev in production; accepted: strict',
      'environment DEBUG — is on in production; accepted: false',
      'environment ESCLUSA_ADMIN_KEY admin.key — is too weak for production; ' +
        'accepted: at least 32 characters',
      'environment JWT_SECRET_KEY auth.secret_key — is too weak for production; ' +
        'accepted: at least 32 characters that are not a placeholder',
    ],
  },
  {
    claim: 'a vendor’s key that cannot be one',
    env: { OPENAI_API_KEY: 'two words' },
    problems: [
      'environment OPENAI_API_KEY — the value is not accepted; ' +
        'accepted: printable ASCII without spaces, up to 512 characters',
    ],
  },
  {
    claim: 'a configuration file that is not there',
    env: { ESCLUSA_CONFIG: '/etc/esclusa/none.yaml' },
    problems: ['environment ESCLUSA_CONFIG — there is no file /etc/esclusa/none.yaml'],
  },
];

for (const [title, cases] of Object.entries({
  'a bad file': FILES,
  'a bad environment': ENVIRONMENTS,
})) {
  describe(`${title} is refused, and its message tells all, for`, () => {
    for (const { claim, file = null, env = {}, problems } of cases) {
      it(claim, async () => {
        assert.deepEqual(await problemsOf(file, env), problems);
      });
    }
  });
}

it('problems of the file, of variables and between settings are told together', async () => {
  const problems = await problemsOf(
    'port: x\nproviders: { a: { kind: mock } }\nroles: { router: fats }',
    { LLM_CACHE_TTL: 'x', REDIS_URL: 'redis://r?x' },
  );

  assert.equal(problems.length, 4);
});

it('the same values are accepted in development that production refuses', async () => {
  await assert.rejects(
    problemsOf(null, {
      JWT_SECRET_KEY: 'CHANGE_THIS_IN_PRODUCTION',
      DEBUG: 'true',
      ALLOWED_ORIGINS: '*',
      ESCLUSA_ADMIN_KEY: 'short-key',
    }),
    /was accepted/,
  );
});
