/**
 * The verbs about tenants.
 */
import type { Rows } from '../verb.ts';
import { ALLOWANCES, LIMIT, YES } from './options.ts';

export const TENANT_VERBS = {
  'tenants create': {
    args: [
      { name: '<slug>', text: 'slug' },
      { name: '<name>', text: 'tenantName' },
    ],
    options: [],
    examples: ['esclusa tenants create valle-claro "Universidad del Valle Claro"'],
    load: () => import('../verbs/tenants-create.ts'),
  },
  'tenants list': {
    args: [],
    options: [LIMIT],
    examples: ['esclusa tenants list'],
    load: () => import('../verbs/tenants-list.ts'),
  },
  'tenants show': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants show valle-claro --json'],
    load: () => import('../verbs/tenants-show.ts'),
  },
  'tenants update': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [
      { flags: '--name <name>', text: 'name' },
      { flags: '--hosts <list>', text: 'hosts' },
    ],
    examples: ['esclusa tenants update valle-claro --hosts valle.example,www.valle.example'],
    load: () => import('../verbs/tenants-update.ts'),
  },
  'tenants limits': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [...ALLOWANCES, { flags: '--model <name>', text: 'ofModel' }],
    examples: [
      'esclusa tenants limits valle-claro --requests-per-minute 600 --budget 500/month',
      'esclusa tenants limits valle-claro --model smart --budget 100/month/soft',
      'esclusa tenants limits valle-claro --budget none',
    ],
    load: () => import('../verbs/tenants-limits.ts'),
  },
  'tenants suspend': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [YES],
    examples: ['esclusa tenants suspend valle-claro --yes'],
    load: () => import('../verbs/tenants-suspend.ts'),
  },
  'tenants resume': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants resume valle-claro'],
    load: () => import('../verbs/tenants-resume.ts'),
  },
  'tenants move': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [
      { flags: '--to <place>', text: 'to' },
      { flags: '--database <file>', text: 'database' },
    ],
    examples: [
      'esclusa tenants move valle-claro --to postgres --database ./valle-claro.json',
      'esclusa tenants move valle-claro --to shared',
    ],
    load: () => import('../verbs/tenants-move.ts'),
  },
  'tenants export': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants export valle-claro > valle-claro.ndjson'],
    load: () => import('../verbs/tenants-export.ts'),
  },
  'tenants erase': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [{ flags: '--with-ledger', text: 'withLedger' }, YES],
    examples: ['esclusa tenants erase valle-claro --yes', 'esclusa tenants erase x --with-ledger'],
    load: () => import('../verbs/tenants-erase.ts'),
  },
  'tenants test': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [{ flags: '--database <file>', text: 'database' }],
    examples: ['esclusa tenants test valle-claro --database ./valle-claro.json'],
    load: () => import('../verbs/tenants-test.ts'),
  },
} satisfies Rows;
