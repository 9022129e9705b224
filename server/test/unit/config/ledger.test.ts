/**
 * Goal: the names that deployments already carry keep their meaning and their defaults.
 * Method: the ledger's table of configuration names, with its corrections, as literals.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { environmentOnly } from '../../../src/config/schema/environment.ts';
import { fileSchema } from '../../../src/config/schema/file.ts';
import { listSettings } from '../../../src/config/schema/list.ts';
import { bare, showPath } from '../../../src/config/schema/walk.ts';
import { loadText } from '../../support/config.ts';

/** Row of the ledger beside each default. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  LLM_CACHE_ENABLED: true, // S0-13
  LLM_CACHE_TTL: 3600, // S0-13
  LLM_CACHE_MAX_ENTRIES: 1000, // S1-19
  CACHE_DEFAULT_TTL: 300, // S2-05
  REDIS_PORT: 6379, // S2-05
  REDIS_MAX_CONNECTIONS: 10, // S4-01
  ENABLE_REDIS_CACHE: true, // S2-05
  ENABLE_CONNECTION_POOLING: true, // S2-02
  DB_POOL_SIZE: 20, // B-11
  DB_MAX_OVERFLOW: 10, // B-11
  DB_POOL_TIMEOUT: 30, // B-11
  DB_POOL_RECYCLE: 3600, // B-11
  DB_POOL_PRE_PING: true, // S0-24
  JWT_ALGORITHM: 'HS256', // S1-13
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: 30, // S1-13
  JWT_REFRESH_TOKEN_EXPIRE_DAYS: 7, // S1-13
  DEBUG: false, // S1-46
  LOG_LEVEL: 'info', // S3-55
  SUPABASE_PROVIDERS_BUCKET: 'tinkubot-providers', // S3-07
  STARTUP_FAIL_ON_WARNING: false, // S3-22
  ENABLE_CIRCUIT_BREAKER: true, // B-23
  ENABLE_PROMETHEUS_METRICS: true, // B-23
  ENABLE_STRUCTURED_LOGGING: true, // B-23
  ENABLE_STARTUP_VALIDATION: true, // B-23
};

/** Variables that exist now, by the setting they set. */
const SETTINGS: Readonly<Record<string, string>> = {
  ENVIRONMENT: 'environment',
  SERVER_HOST: 'host',
  PROVEEDORES_SERVER_PORT: 'port',
  SERVICE_NAME: 'service_name',
  DATABASE_URL: 'database.url',
  DB_POOL_SIZE: 'database.pool_size',
  DB_MAX_OVERFLOW: 'database.max_overflow',
  DB_POOL_TIMEOUT: 'database.pool_timeout_seconds',
  DB_POOL_RECYCLE: 'database.pool_recycle_seconds',
  DB_POOL_PRE_PING: 'database.pool_pre_ping',
  ENABLE_CONNECTION_POOLING: 'database.pooling',
  LOG_LEVEL: 'log.level',
  LLM_CACHE_ENABLED: 'cache.enabled',
  LLM_CACHE_TTL: 'cache.ttl_seconds',
  LLM_CACHE_MAX_ENTRIES: 'cache.max_entries',
  LLM_CACHE_BACKEND: 'cache.backend',
  ENABLE_REDIS_CACHE: 'cache.redis',
  CACHE_DEFAULT_TTL: 'cache.data_ttl_seconds',
  REDIS_URL: 'redis.url',
  REDIS_HOST: 'redis.host',
  REDIS_PORT: 'redis.port',
  REDIS_PASSWORD: 'redis.password',
  REDIS_MAX_CONNECTIONS: 'redis.max_connections',
  ENABLE_CIRCUIT_BREAKER: 'resilience.breaker.enabled',
  ENABLE_PROMETHEUS_METRICS: 'metrics.enabled',
  ENABLE_STRUCTURED_LOGGING: 'log.structured',
  STARTUP_FAIL_ON_WARNING: 'startup.fail_on_warning',
  ENABLE_STARTUP_VALIDATION: 'startup.validation',
  SUPABASE_URL: 'object_storage.url',
  SUPABASE_BACKEND_API_KEY: 'object_storage.secret_access_key',
  SUPABASE_PROVIDERS_BUCKET: 'object_storage.bucket',
};

/** The ledger's own values, as a deployment of its systems would carry them. */
const CARRIED = {
  LLM_CACHE_ENABLED: 'true',
  LLM_CACHE_TTL: '3600',
  LLM_CACHE_MAX_ENTRIES: '1000',
  LLM_CACHE_BACKEND: 'memory',
  CACHE_DEFAULT_TTL: '300',
  ENABLE_REDIS_CACHE: 'True',
  ENABLE_CONNECTION_POOLING: 'True',
  DATABASE_URL: 'sqlite:///ai_native.db',
  DB_POOL_SIZE: '20',
  DB_MAX_OVERFLOW: '40',
  DB_POOL_TIMEOUT: '30',
  DB_POOL_RECYCLE: '3600',
  DB_POOL_PRE_PING: 'true',
  JWT_SECRET_KEY: 'f3c1d9a7e5b24c8f9a6d3e1b7c5f2a8d',
  JWT_ALGORITHM: 'HS256',
  JWT_ACCESS_TOKEN_EXPIRE_MINUTES: '30',
  JWT_REFRESH_TOKEN_EXPIRE_DAYS: '7',
  ENVIRONMENT: 'production',
  DEBUG: 'false',
  ALLOWED_ORIGINS: 'https://app.example.com',
  LLM_PROVIDER: 'openai',
  OPENAI_API_KEY: 'sk-1',
  DEEPSEEK_API_KEY: 'sk-2',
  SUPABASE_URL: 'https://x.supabase.co',
  SUPABASE_BACKEND_API_KEY: 'key',
  SUPABASE_PROVIDERS_BUCKET: 'tinkubot-providers',
  SERVER_HOST: '0.0.0.0',
  PROVEEDORES_SERVER_PORT: '8002',
  SERVICE_NAME: 'ai-proveedores',
  LOG_LEVEL: 'INFO',
  ENABLE_STARTUP_VALIDATION: 'true',
  STARTUP_FAIL_ON_WARNING: 'false',
  ENABLE_CIRCUIT_BREAKER: 'true',
  ENABLE_PROMETHEUS_METRICS: 'true',
  ENABLE_STRUCTURED_LOGGING: 'true',
};

describe('names of the ledger', () => {
  const listed = listSettings(fileSchema).settings;
  const settingOf = (name: string) => listed.find(({ meta }) => meta.env?.includes(name));

  it('have the defaults of the ledger and its corrections', () => {
    for (const [name, value] of Object.entries(DEFAULTS)) {
      const later = Object.entries(environmentOnly).find(([known]) => known === name)?.[1];
      const fallback = later ? bare(later).fallback : settingOf(name)?.fallback;

      assert.equal(fallback, value, name);
    }
  });

  it('set the setting they name, where it exists now', () => {
    for (const [name, path] of Object.entries(SETTINGS)) {
      assert.equal(showPath(settingOf(name)?.path ?? []), path, name);
    }
  });

  it('start a deployment that carries them as they were', async () => {
    const { config, warnings } = await loadText(null, CARRIED);

    assert.equal(config.host, '0.0.0.0');
    assert.equal(config.port, 8002);
    assert.deepEqual(config.database, { kind: 'sqlite', file: 'ai_native.db' });
    assert.equal(config.log.level, 'info');
    assert.deepEqual(Object.keys(config.providers).sort(), ['deepseek', 'openai']);
    assert.equal(
      warnings.every(({ message }) => message.includes('has no effect until')),
      true,
    );
  });
});
