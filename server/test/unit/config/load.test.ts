/**
 * Goal: what a right configuration becomes: defaults, precedence, vendors' keys, references.
 * Method: the real schema and catalogue; files in memory, variables as plain objects.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { showProblem } from '../../../src/config/index.ts';
import { loadText } from '../../support/config.ts';

describe('no configuration at all', () => {
  it('serves the built-in mock, and nothing else', async () => {
    const { config, warnings } = await loadText(null);

    assert.deepEqual(Object.keys(config.providers), ['mock']);
    assert.deepEqual(Object.keys(config.models), ['mock']);
    assert.equal(config.models.mock?.targets[0]?.provider, 'mock');
    assert.deepEqual(warnings, []);
  });

  it('has the defaults of the plan', async () => {
    const { config } = await loadText(null);

    assert.equal(config.environment, 'development');
    assert.equal(config.host, '127.0.0.1');
    assert.equal(config.port, 8000);
    assert.equal(config.workers, 1);
    assert.deepEqual(config.database, { kind: 'sqlite', file: 'data/esclusa.sqlite' });
    assert.deepEqual(config.resilience, {
      breaker: {
        enabled: true,
        failureThreshold: 5,
        successThreshold: 2,
        openSeconds: 60,
        halfOpenMaxCalls: 3,
        minimumCalls: 5,
        slowCallMs: 30_000,
        slowCallRate: 1,
      },
      timeouts: {
        connectMs: 5000,
        firstTokenMs: 60_000,
        firstTokenAdaptive: true,
        firstTokenMinMs: 10_000,
        firstTokenMaxMs: 180_000,
        idleMs: 30_000,
        totalMs: 600_000,
      },
      retry: { attempts: 2, budgetRatio: 0.2 },
      maxConcurrency: 512,
    });
    assert.deepEqual(config.journal, { fsync: 'every_second', maxBytes: 268_435_456 });
    assert.equal(config.cache.ttlSeconds, 3600);
    assert.equal(config.cache.staleIfErrorSeconds, 86_400);
    assert.equal(config.cache.maxEntryBytes, 1_048_576);
    assert.equal(config.drainDelaySeconds, 5);
    assert.equal(config.maxBodyBytes, 33_554_432);
    assert.equal(config.maxJsonDepth, 128);
    assert.equal(config.auth.snapshotMaxAgeSeconds, 3600);
    assert.deepEqual(config.capture, { enabled: false, maxBytes: 65_536, retentionDays: 30 });
    assert.equal(config.admin.key, null);
  });

  it('adds a provider for every vendor whose key is set, with its address', async () => {
    const { config } = await loadText(null, { OPENAI_API_KEY: 'sk-o', DEEPSEEK_API_KEY: 'sk-d' });

    assert.deepEqual(Object.keys(config.providers).sort(), ['deepseek', 'mock', 'openai']);
    const { deepseek } = config.providers;
    assert.equal(deepseek?.vendor, 'deepseek');
    assert.deepEqual(deepseek?.connection, {
      baseUrl: 'https://api.deepseek.com/v1',
      apiKey: 'sk-d',
      keyHeader: 'authorization',
      surface: { kind: 'plain' },
      organization: null,
      project: null,
      headers: Object.create(null),
      capabilities: {
        streamUsage: true,
        maxCompletionTokens: false,
        reasoningInput: true,
        responses: false,
      },
    });
  });

  it('has no mock in production, and says that nothing can be served', async () => {
    const { config, warnings } = await loadText(null, { ENVIRONMENT: 'production' });

    assert.deepEqual(Object.keys(config.providers), []);
    assert.deepEqual(Object.keys(config.models), []);
    assert.match(String(warnings[0]?.message), /no model can be served/);
  });
});

describe('providers in the file', () => {
  it('are the only vendors, whatever keys are in the environment', async () => {
    const { config } = await loadText('providers: { eu: { kind: openai, api_key: k } }', {
      DEEPSEEK_API_KEY: 'sk-d',
    });

    assert.deepEqual(Object.keys(config.providers).sort(), ['eu', 'mock']);
  });

  it('get their vendor’s key only at that vendor’s own address', async () => {
    const { config } = await loadText(
      `providers:
         home: { kind: openai }
         away: { kind: openai, base_url: https://proxy.example.com/v1 }`,
      { OPENAI_API_KEY: 'sk-o' },
    );

    const keyOf = (name: string): string | null | undefined => {
      const provider = config.providers[name];
      return provider?.kind === 'openai' ? provider.connection.apiKey : undefined;
    };
    assert.equal(keyOf('home'), 'sk-o');
    assert.equal(keyOf('away'), null);
  });

  it('have every key they are given, each once, and not that of the environment', async () => {
    const { config } = await loadText(
      `providers:
         list: { kind: openai, api_keys: [k1, "\${K2}", k1] }
         both: { kind: anthropic, api_key: k1, api_keys: [k2, k1] }
         away: { kind: ollama, base_url: http://10.0.0.9 }`,
      { OPENAI_API_KEY: 'sk-o', K2: 'k2' },
    );

    const keysOf = (name: string) => config.providers[name]?.apiKeys;
    assert.deepEqual(keysOf('list'), ['k1', 'k2']);
    assert.deepEqual(keysOf('both'), ['k1', 'k2']);
    assert.deepEqual(keysOf('away'), []);
    assert.deepEqual(keysOf('mock'), []);
  });

  it('find their vendor by address, by name, or by being told', async () => {
    const { config } = await loadText(`providers:
      by-address: { kind: openai-compatible, base_url: https://api.deepseek.com/beta, api_key: k }
      groq: { kind: openai-compatible, api_key: k }
      told: { kind: openai-compatible, vendor: vllm, base_url: http://10.0.0.9/v1 }
      stranger: { kind: openai-compatible, base_url: http://10.0.0.8/v1/ }`);

    const vendors = Object.values(config.providers).map(({ name, vendor }) => [name, vendor]);
    assert.deepEqual(Object.fromEntries(vendors), {
      mock: 'mock',
      'by-address': 'deepseek',
      groq: 'groq',
      told: 'vllm',
      stranger: null,
    });
    const { stranger } = config.providers;
    assert.equal(
      stranger?.kind === 'openai-compatible' && stranger.connection.baseUrl,
      'http://10.0.0.8/v1',
    );
    assert.deepEqual(stranger?.kind === 'openai-compatible' && stranger.connection.capabilities, {
      streamUsage: true,
      maxCompletionTokens: true,
      reasoningInput: false,
      responses: false,
    });
  });

  it('may be a mock in production when they say so', async () => {
    const { config } = await loadText('providers: { demo: { kind: mock } }', {
      ENVIRONMENT: 'production',
    });

    assert.deepEqual(Object.keys(config.providers), ['demo']);
    assert.deepEqual(Object.keys(config.models), []);
  });

  it('keep a mock’s alias away from a provider of that name that is none', async () => {
    const { config } = await loadText(
      'providers: { mock: { kind: openai-compatible, base_url: "http://10.0.0.1" } }',
    );

    assert.equal(config.providers.mock?.kind, 'openai-compatible');
    assert.equal(config.models.mock, undefined);
  });
});

describe('precedence', () => {
  const text = 'port: 9000\ncache: { ttl_seconds: 60 }\nlog: { level: warn }';

  it('puts the environment over the file and the file over the default', async () => {
    const { config } = await loadText(text, { LLM_CACHE_TTL: '7', LOG_LEVEL: 'WARNING' });

    assert.equal(config.cache.ttlSeconds, 7);
    assert.equal(config.port, 9000);
    assert.equal(config.cache.staleIfErrorSeconds, 86_400);
    assert.equal(config.log.level, 'warn');
  });

  it('takes the first of two names for one setting, and an empty one for not set', async () => {
    const both = await loadText(null, { HOST: '::1', SERVER_HOST: '10.0.0.1', PORT: ' ' });
    const second = await loadText(null, { HOST: '', SERVER_HOST: '10.0.0.1' });

    assert.equal(both.config.host, '::1');
    assert.equal(both.config.port, 8000);
    assert.equal(second.config.host, '10.0.0.1');
  });

  it('lets a kill switch turn off, but not on', async () => {
    const off = await loadText(null, { ENABLE_CIRCUIT_BREAKER: 'No' });
    const on = await loadText('resilience: { breaker: { enabled: false } }', {
      ENABLE_CIRCUIT_BREAKER: 'true',
    });

    assert.equal(off.config.resilience.breaker.enabled, false);
    assert.equal(on.config.resilience.breaker.enabled, false);
  });

  it('reads every spelling of a boolean, in the file too', async () => {
    const spellings = {
      true: true,
      1: true,
      YES: true,
      on: true,
      false: false,
      0: false,
      No: false,
    };
    for (const [word, value] of Object.entries({ ...spellings, off: false })) {
      const fromVariable = await loadText(null, { LLM_CACHE_ENABLED: word });
      const fromFile = await loadText(`cache: { enabled: ${word} }`);

      assert.equal(fromVariable.config.cache.enabled, value, word);
      assert.equal(fromFile.config.cache.enabled, value, word);
    }
  });

  it('reads the ledger’s forms of a database address', async () => {
    const files = {
      'sqlite:///ai_native.db': 'ai_native.db',
      'sqlite:////var/lib/e.db': '/var/lib/e.db',
      'sqlite:e.db': 'e.db',
      'file:./e.db': './e.db',
      'file:///var/my%20data/e.db': '/var/my data/e.db',
    };
    for (const [url, file] of Object.entries(files)) {
      const { config } = await loadText(null, { DATABASE_URL: url });

      assert.deepEqual(config.database, { kind: 'sqlite', file }, url);
    }
  });
});

describe('references to variables', () => {
  it('work bare between braces, in quotes, and inside a text', async () => {
    const { config } = await loadText(
      `providers:
         a: { kind: openai, api_key: \${KEY}, organization: "\${ORG}" }
         b: { kind: openai-compatible, base_url: "https://\${HOST_NAME}/v1" } # \${COMMENT}`,
      { KEY: 'sk-1', ORG: 'org-1', HOST_NAME: 'models.example.com' },
    );

    const { a, b } = config.providers;
    assert.equal(a?.kind === 'openai' && a.connection.apiKey, 'sk-1');
    assert.equal(a?.kind === 'openai' && a.connection.organization, 'org-1');
    assert.equal(
      b?.kind === 'openai-compatible' && b.connection.baseUrl,
      'https://models.example.com/v1',
    );
  });

  it('become numbers and booleans where those are wanted, and stay text elsewhere', async () => {
    const { config } = await loadText(
      `port: \${P}\ncache: { enabled: \${C} }\nservice_name: \${NAME}`,
      { P: '8081', C: 'off', NAME: '123' },
    );

    assert.equal(config.port, 8081);
    assert.equal(config.cache.enabled, false);
    assert.equal(config.serviceName, '123');
  });

  it('are left alone behind a second dollar', async () => {
    const { config } = await loadText(`data_dir: "/srv/$\${NAME}/$\${x"`, { NAME: 'no' });

    assert.equal(config.dataDir, `/srv/\${NAME}/\${x`);
  });

  it('leaves the braces of YAML alone behind an escape that has none of its own', async () => {
    for (const [written, model] of [
      [`"$\${!"`, `\${!`],
      [`'$\${!'`, `\${!`],
      [`$\${!`, `\${!`],
      [`"$\${a\\"}"`, `\${a"}`],
      [`$\${A}`, `\${A}`],
    ]) {
      const targets = `{ provider: mock, model: ${written} }, { provider: mock, model: b }`;
      const { config } = await loadText(`models: { a: { targets: [${targets}] } }`);

      const models = config.models.a?.targets.map((target) => target.model);
      assert.deepEqual(models, [model, 'b'], written);
    }
  });
});

describe('the result', () => {
  it('is frozen through and through', async () => {
    const { config } = await loadText(
      'models: { a: { targets: [{ provider: mock, model: mock }] } }',
    );

    const visit = (value: unknown): void => {
      if (typeof value !== 'object' || value === null) return;
      assert.ok(Object.isFrozen(value));
      Object.values(value).forEach(visit);
    };
    visit(config);
    assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
  });

  it('knows no alias that an object has by birth', async () => {
    const { config } = await loadText(null);

    assert.equal(config.models.constructor, undefined);
    assert.equal(config.providers.toString, undefined);
  });

  it('warns about what has no effect yet, and stops for it when told to', async () => {
    const env = { GF_SECURITY_ADMIN_PASSWORD: 'x', LLM_PROVIDER: 'mock' };
    const { warnings } = await loadText(null, env);

    assert.deepEqual(
      warnings.map(({ place }) => place),
      [
        { kind: 'environment', name: 'LLM_PROVIDER' },
        { kind: 'environment', name: 'GF_SECURITY_ADMIN_PASSWORD' },
      ],
    );
    await assert.rejects(loadText(null, { ...env, STARTUP_FAIL_ON_WARNING: 'true' }), /2 problems/);
  });

  it('warns about a setting of the file that has no effect yet', async () => {
    const { warnings } = await loadText('cache: { list_ttl_seconds: 60 }', {
      CACHE_DEFAULT_TTL: '30',
    });

    assert.deepEqual(warnings.map(showProblem), [
      'environment CACHE_DEFAULT_TTL cache.data_ttl_seconds — is accepted, but has no effect ' +
        'until the applications is switched on',
      'esclusa.yaml:1:28 cache.list_ttl_seconds — is accepted, but has no effect until the ' +
        'applications is switched on',
    ]);
  });

  it('ignores how Kubernetes describes services, even one that has our name', async () => {
    const { config, warnings } = await loadText(null, {
      ESCLUSA_SERVICE_HOST: '10.96.0.7',
      ESCLUSA_SERVICE_PORT: '80',
      ESCLUSA_SERVICE_PORT_HTTP: '80',
      ESCLUSA_PORT: 'tcp://10.96.0.7:80',
      ESCLUSA_PORT_80_TCP: 'tcp://10.96.0.7:80',
      ESCLUSA_PORT_80_TCP_ADDR: '10.96.0.7',
      ESCLUSA_REDIS_SERVICE_HOST: '10.96.0.8',
      REDIS_PORT: 'tcp://10.96.0.8:6379',
    });

    assert.equal(config.port, 8000);
    assert.deepEqual(warnings, []);
  });
});
