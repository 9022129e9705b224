/**
 * Every verb of the command line: its arguments, options and examples, and where its code is.
 * The code is loaded when the verb is used, so that help costs nothing.
 */

import { BACKUP_VERBS } from './backup-verbs.ts';
import { ALLOWANCES, LIMIT_VERBS } from './limit-verbs.ts';
import type { Messages } from './messages/index.ts';
import type { OptionSpec, Verb } from './verb.ts';

/** The one option that groups of verbs have, too. */
export const LANGUAGE_OPTION: OptionSpec = { flags: '--lang <language>', text: 'lang' };

/** Options of every verb. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--data-dir <path>', text: 'dataDir' },
  { flags: '--config <file>', text: 'config' },
  { flags: '--json', text: 'json' },
  LANGUAGE_OPTION,
];

const tenant: OptionSpec = { flags: '--tenant <slug>', text: 'tenant' };
const limit: OptionSpec = { flags: '--limit <count>', text: 'limit' };
const before: OptionSpec = { flags: '--before <id>', text: 'before' };

const filters: readonly OptionSpec[] = [
  tenant,
  { flags: '--model <name>', text: 'model' },
  { flags: '--provider <name>', text: 'provider' },
  { flags: '--key <id>', text: 'key' },
  { flags: '--outcome <outcome>', text: 'outcome' },
  { flags: '--since <time>', text: 'since' },
  { flags: '--until <time>', text: 'until' },
];

export const VERBS: Readonly<Record<keyof Messages['verbs'], Verb>> = {
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
    load: () => import('./verbs/start.ts'),
  },
  doctor: {
    args: [],
    options: [{ flags: '--production', text: 'production' }],
    examples: [
      'esclusa doctor',
      'esclusa doctor --production',
      'esclusa doctor --data-dir /var/lib/esclusa --json',
    ],
    load: () => import('./verbs/doctor.ts'),
  },
  migrate: {
    args: [],
    options: [],
    examples: ['esclusa migrate --data-dir /var/lib/esclusa'],
    load: () => import('./verbs/migrate.ts'),
  },
  ...BACKUP_VERBS,
  ...LIMIT_VERBS,
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
    load: () => import('./verbs/explain.ts'),
  },
  'keys create': {
    args: [{ name: '<name>', text: 'name' }],
    options: [
      tenant,
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
    load: () => import('./verbs/keys-create.ts'),
  },
  'keys list': {
    args: [],
    options: [tenant, limit, before],
    examples: ['esclusa keys list --tenant valle-claro', 'esclusa keys list --json'],
    load: () => import('./verbs/keys-list.ts'),
  },
  'keys revoke': {
    args: [{ name: '<id>', text: 'keyId' }],
    options: [{ flags: '--yes', text: 'yes' }],
    examples: ['esclusa keys revoke key_01JD0000000000000000000000 --yes'],
    load: () => import('./verbs/keys-revoke.ts'),
  },
  'tenants create': {
    args: [
      { name: '<slug>', text: 'slug' },
      { name: '<name>', text: 'tenantName' },
    ],
    options: [],
    examples: ['esclusa tenants create valle-claro "Universidad del Valle Claro"'],
    load: () => import('./verbs/tenants-create.ts'),
  },
  'tenants list': {
    args: [],
    options: [limit],
    examples: ['esclusa tenants list'],
    load: () => import('./verbs/tenants-list.ts'),
  },
  'tenants show': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants show valle-claro --json'],
    load: () => import('./verbs/tenants-show.ts'),
  },
  'tenants update': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [
      { flags: '--name <name>', text: 'name' },
      { flags: '--hosts <list>', text: 'hosts' },
    ],
    examples: ['esclusa tenants update valle-claro --hosts valle.example,www.valle.example'],
    load: () => import('./verbs/tenants-update.ts'),
  },
  'tenants limits': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [...ALLOWANCES, { flags: '--model <name>', text: 'ofModel' }],
    examples: [
      'esclusa tenants limits valle-claro --requests-per-minute 600 --budget 500/month',
      'esclusa tenants limits valle-claro --model smart --budget 100/month/soft',
      'esclusa tenants limits valle-claro --budget none',
    ],
    load: () => import('./verbs/tenants-limits.ts'),
  },
  'tenants suspend': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [{ flags: '--yes', text: 'yes' }],
    examples: ['esclusa tenants suspend valle-claro --yes'],
    load: () => import('./verbs/tenants-suspend.ts'),
  },
  'tenants resume': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants resume valle-claro'],
    load: () => import('./verbs/tenants-resume.ts'),
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
    load: () => import('./verbs/tenants-move.ts'),
  },
  'tenants export': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [],
    examples: ['esclusa tenants export valle-claro > valle-claro.ndjson'],
    load: () => import('./verbs/tenants-export.ts'),
  },
  'tenants erase': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [
      { flags: '--with-ledger', text: 'withLedger' },
      { flags: '--yes', text: 'yes' },
    ],
    examples: ['esclusa tenants erase valle-claro --yes', 'esclusa tenants erase x --with-ledger'],
    load: () => import('./verbs/tenants-erase.ts'),
  },
  'tenants test': {
    args: [{ name: '<slug>', text: 'slug' }],
    options: [{ flags: '--database <file>', text: 'database' }],
    examples: ['esclusa tenants test valle-claro --database ./valle-claro.json'],
    load: () => import('./verbs/tenants-test.ts'),
  },
  'users create': {
    args: [{ name: '<email>', text: 'email' }],
    options: [
      { flags: '--username <name>', text: 'username' },
      { flags: '--roles <list>', text: 'roles' },
      tenant,
      { flags: '--password <password>', text: 'password' },
    ],
    examples: [
      'esclusa users create ana@uni.example --roles instructor --tenant valle-claro',
      'esclusa users create ops@uni.example --username ops --roles superadmin --json',
    ],
    load: () => import('./verbs/users-create.ts'),
  },
  'users list': {
    args: [],
    options: [tenant, limit, before],
    examples: ['esclusa users list --tenant valle-claro'],
    load: () => import('./verbs/users-list.ts'),
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
    load: () => import('./verbs/users-update.ts'),
  },
  'users remove': {
    args: [{ name: '<user>', text: 'user' }],
    options: [{ flags: '--yes', text: 'yes' }],
    examples: ['esclusa users remove ana@uni.example --yes'],
    load: () => import('./verbs/users-remove.ts'),
  },
  'users invite': {
    args: [],
    options: [
      { flags: '--email <address>', text: 'email' },
      { flags: '--roles <list>', text: 'roles' },
      tenant,
    ],
    examples: ['esclusa users invite --email ana@uni.example --roles instructor'],
    load: () => import('./verbs/users-invite.ts'),
  },
  'audit list': {
    args: [],
    options: [tenant, limit, { flags: '--before <number>', text: 'beforeNumber' }],
    examples: ['esclusa audit list --tenant valle-claro --limit 20'],
    load: () => import('./verbs/audit-list.ts'),
  },
  'audit verify': {
    args: [],
    options: [{ flags: '--anchor <number:hash>', text: 'anchor' }],
    examples: ['esclusa audit verify', 'esclusa audit verify --json'],
    load: () => import('./verbs/audit-verify.ts'),
  },
  'flags list': {
    args: [],
    options: [],
    examples: ['esclusa flags list', 'esclusa flags list --json'],
    load: () => import('./verbs/flags-list.ts'),
  },
  'flags set': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [
      { flags: '--on', text: 'on' },
      { flags: '--off', text: 'off' },
      { flags: '--percentage <number>', text: 'percentage' },
      { flags: '--by <unit>', text: 'flagBy' },
      { flags: '--tenants <slugs>', text: 'flagTenants' },
    ],
    examples: ['esclusa flags set llm_cache --off', 'esclusa flags set smart_next --percentage 10'],
    load: () => import('./verbs/flags-set.ts'),
  },
  'flags rollout': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [
      { flags: '--steps <percentages>', text: 'steps' },
      { flags: '--soak <seconds>', text: 'soak' },
      { flags: '--samples <count>', text: 'samples' },
      { flags: '--cancel', text: 'cancel' },
    ],
    examples: [
      'esclusa flags rollout smart_next --steps 10,50,100 --soak 3600 --samples 200',
      'esclusa flags rollout smart_next --cancel',
    ],
    load: () => import('./verbs/flags-rollout.ts'),
  },
  'flags remove': {
    args: [{ name: '<flag>', text: 'flag' }],
    options: [],
    examples: ['esclusa flags remove smart_next'],
    load: () => import('./verbs/flags-remove.ts'),
  },
  usage: {
    args: [],
    options: [{ flags: '--by <dimensions>', text: 'by' }, ...filters, limit],
    examples: [
      'esclusa usage --since 7d',
      'esclusa usage --by tenant,day --since 2026-11-01 --until 2026-12-01 --json',
    ],
    load: () => import('./verbs/usage.ts'),
  },
  'requests list': {
    args: [],
    options: [...filters, limit, before],
    examples: ['esclusa requests list --since 24h --outcome failed'],
    load: () => import('./verbs/requests-list.ts'),
  },
  'requests show': {
    args: [{ name: '<id>', text: 'requestId' }],
    options: [],
    examples: ['esclusa requests show req_01JD0000000000000000000000'],
    load: () => import('./verbs/requests-show.ts'),
  },
  'config check': {
    args: [],
    options: [],
    examples: ['esclusa config check --config ./esclusa.yaml'],
    load: () => import('./verbs/config-check.ts'),
  },
  'config show': {
    args: [],
    options: [],
    examples: ['esclusa config show', 'esclusa config show --json'],
    load: () => import('./verbs/config-show.ts'),
  },
  'config schema': {
    args: [],
    options: [],
    examples: ['esclusa config schema > esclusa.schema.json'],
    load: () => import('./verbs/config-schema.ts'),
  },
  'models list': {
    args: [],
    options: [],
    examples: ['esclusa models list', 'esclusa models list --config ./esclusa.yaml --json'],
    load: () => import('./verbs/models-list.ts'),
  },
  'models refresh': {
    args: [],
    options: [
      { flags: '--from <file>', text: 'from' },
      { flags: '--apply', text: 'apply' },
    ],
    examples: [
      'esclusa models refresh --from ./prices.json',
      'esclusa models refresh --from ./prices.json --apply',
    ],
    load: () => import('./verbs/models-refresh.ts'),
  },
  'secrets generate': {
    args: [],
    options: [],
    examples: ['esclusa secrets generate'],
    load: () => import('./verbs/secrets-generate.ts'),
  },
  'secrets rotate': {
    args: [],
    options: [],
    examples: ['esclusa secrets rotate'],
    load: () => import('./verbs/secrets-rotate.ts'),
  },
  'secrets adopt': {
    args: [],
    options: [],
    examples: ['esclusa secrets adopt'],
    load: () => import('./verbs/secrets-adopt.ts'),
  },
  seed: {
    args: [],
    options: [{ flags: '--force', text: 'force' }],
    examples: ['esclusa seed', 'esclusa seed --data-dir /tmp/esclusa-demo --lang es'],
    load: () => import('./verbs/seed.ts'),
  },
};
