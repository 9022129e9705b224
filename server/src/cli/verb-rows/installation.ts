/**
 * The verbs about the installation as a whole.
 */
import type { Rows } from '../verb.ts';

export const INSTALLATION_VERBS = {
  start: {
    args: [],
    options: [
      { flags: '--host <address>', text: 'host' },
      { flags: '--port <number>', text: 'port' },
      { flags: '--workers <count>', text: 'workers' },
    ],
    examples: [
      'esclusa start',
      'esclusa start --host 0.0.0.0 --port 8080',
      'esclusa start --workers 3',
    ],
    load: () => import('../verbs/start.ts'),
  },
  doctor: {
    args: [],
    options: [{ flags: '--production', text: 'production' }],
    examples: [
      'esclusa doctor',
      'esclusa doctor --production',
      'esclusa doctor --data-dir /var/lib/esclusa --json',
    ],
    load: () => import('../verbs/doctor.ts'),
  },
  migrate: {
    args: [],
    options: [],
    examples: ['esclusa migrate --data-dir /var/lib/esclusa'],
    load: () => import('../verbs/migrate.ts'),
  },
  seed: {
    args: [],
    options: [{ flags: '--force', text: 'force' }],
    examples: ['esclusa seed', 'esclusa seed --data-dir ./demo --lang es'],
    load: () => import('../verbs/seed.ts'),
  },

  explain: {
    args: [{ name: '<model>', text: 'model' }],
    options: [
      { flags: '--prompt <text>', text: 'prompt' },
      { flags: '--request <file>', text: 'request' },
      { flags: '--stream', text: 'stream' },
      { flags: '--max-tokens <count>', text: 'maxTokens' },
      { flags: '--headers <list>', text: 'headers' },
      { flags: '--key <id>', text: 'asKey' },
      { flags: '--tenant <slug>', text: 'asTenant' },
      { flags: '--url <address>', text: 'url' },
    ],
    examples: [
      'esclusa explain fast --prompt "Hello"',
      'esclusa explain role/router --headers x-tier=gold --stream --json',
      'esclusa explain smart --request ./request.json --url http://127.0.0.1:8000',
    ],
    load: () => import('../verbs/explain.ts'),
  },
} satisfies Rows;
