/**
 * The verbs about API keys.
 */
import type { Rows } from '../verb.ts';
import { ALLOWANCES, BEFORE, LIMIT, TENANT, YES } from './options.ts';

export const KEY_VERBS = {
  'keys create': {
    args: [{ name: '<name>', text: 'name' }],
    options: [
      TENANT,
      { flags: '--role <role>', text: 'role' },
      { flags: '--models <list>', text: 'models' },
      ...ALLOWANCES,
      { flags: '--cache <use>', text: 'cacheUse' },
      { flags: '--expires <time>', text: 'expires' },
    ],
    examples: [
      'esclusa keys create "Tutor" --tenant valle-claro --models fast,smart',
      'esclusa keys create "Night batch" --budget 20/month --requests-per-minute 60',
    ],
    load: () => import('../verbs/keys-create.ts'),
  },
  'keys list': {
    args: [],
    options: [TENANT, LIMIT, BEFORE],
    examples: ['esclusa keys list --tenant valle-claro', 'esclusa keys list --json'],
    load: () => import('../verbs/keys-list.ts'),
  },
  'keys revoke': {
    args: [{ name: '<id>', text: 'keyId' }],
    options: [YES],
    examples: ['esclusa keys revoke key_01JD0000000000000000000000 --yes'],
    load: () => import('../verbs/keys-revoke.ts'),
  },
} satisfies Rows;
