/**
 * The verbs about people who sign in, and about who did what.
 */
import type { Rows } from '../verb.ts';
import { BEFORE, LIMIT, TENANT, YES } from './options.ts';

export const PEOPLE_VERBS = {
  'users create': {
    args: [{ name: '<email>', text: 'email' }],
    options: [
      { flags: '--username <name>', text: 'username' },
      { flags: '--roles <list>', text: 'roles' },
      TENANT,
      { flags: '--password <password>', text: 'password' },
      { flags: '--password-hash <hash>', text: 'passwordHash' },
    ],
    examples: [
      'esclusa users create ana@uni.example --roles instructor --tenant valle-claro',
      'esclusa users create ops@uni.example --username ops --roles superadmin --json',
    ],
    load: () => import('../verbs/users-create.ts'),
  },
  'users list': {
    args: [],
    options: [TENANT, LIMIT, BEFORE],
    examples: ['esclusa users list --tenant valle-claro'],
    load: () => import('../verbs/users-list.ts'),
  },
  'users update': {
    args: [{ name: '<user>', text: 'user' }],
    options: [
      { flags: '--roles <list>', text: 'roles' },
      { flags: '--active <yes|no>', text: 'active' },
      { flags: '--password <password>', text: 'password' },
    ],
    examples: [
      'esclusa users update ana@uni.example --roles instructor,admin',
      'esclusa users update ana --active no',
    ],
    load: () => import('../verbs/users-update.ts'),
  },
  'users remove': {
    args: [{ name: '<user>', text: 'user' }],
    options: [YES],
    examples: ['esclusa users remove ana@uni.example --yes'],
    load: () => import('../verbs/users-remove.ts'),
  },
  'users invite': {
    args: [],
    options: [
      { flags: '--email <address>', text: 'email' },
      { flags: '--roles <list>', text: 'roles' },
      TENANT,
    ],
    examples: ['esclusa users invite --email ana@uni.example --roles instructor'],
    load: () => import('../verbs/users-invite.ts'),
  },
  'audit list': {
    args: [],
    options: [TENANT, LIMIT, { flags: '--before <number>', text: 'beforeNumber' }],
    examples: ['esclusa audit list --tenant valle-claro --limit 20'],
    load: () => import('../verbs/audit-list.ts'),
  },
  'audit verify': {
    args: [],
    options: [{ flags: '--anchor <number:hash>', text: 'anchor' }],
    examples: ['esclusa audit verify', 'esclusa audit verify --json'],
    load: () => import('../verbs/audit-verify.ts'),
  },
} satisfies Rows;
