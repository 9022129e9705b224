/**
 * Makes the secrets of compose.full.yml, once: `.env` beside it, and the files that Prometheus
 * and the exporter of Redis read. What is there already is kept; nothing is printed.
 * The key of the scrape may read metrics and nothing else.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.argv[2] ?? import.meta.dirname;
const file = join(folder, '.env');
const secret = () => randomBytes(32).toString('base64url');

if (existsSync(file)) {
  process.stderr.write(`${file} is there already; remove it to make new secrets.\n`);
  process.exitCode = 1;
} else {
  const values = {
    POSTGRES_PASSWORD: secret(),
    OWNER_PASSWORD: secret(),
    APP_PASSWORD: secret(),
    WRITER_PASSWORD: secret(),
    REDIS_CACHE_PASSWORD: secret(),
    REDIS_STATE_PASSWORD: secret(),
    ESCLUSA_MASTER_SECRET: secret(),
    JWT_SECRET_KEY: secret(),
    ESCLUSA_ADMIN_KEY: `esk_${secret()}`,
    ESCLUSA_METRICS_KEY: `esk_${secret()}`,
    GRAFANA_PASSWORD: secret(),
  };
  const passwords = {
    'redis://redis-cache:6379': values.REDIS_CACHE_PASSWORD,
    'redis://redis-state:6379': values.REDIS_STATE_PASSWORD,
  };
  mkdirSync(join(folder, 'secrets'), { recursive: true, mode: 0o700 });
  const lines = Object.entries(values).map(([name, value]) => `${name}=${value}\n`);
  write('.env', lines.join(''), 0o600);
  // Read by processes of other users inside the containers; the folder is closed to others here.
  write('secrets/metrics_key', values.ESCLUSA_METRICS_KEY, 0o644);
  write('secrets/redis_passwords.json', `${JSON.stringify(passwords)}\n`, 0o644);
}

/**
 * @param {string} name
 * @param {string} text
 * @param {number} mode
 */
function write(name, text, mode) {
  writeFileSync(join(folder, name), text, { mode, flag: 'wx' });
}
