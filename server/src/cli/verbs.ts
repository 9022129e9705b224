/**
 * Every verb of the command line: its arguments, options and examples, and where its code is.
 * The code is loaded when the verb is used, so that help costs nothing.
 */
import type { Messages } from './messages/index.ts';
import type { OptionSpec, Verb } from './verb.ts';
import { BACKUP_VERBS } from './verb-rows/backups.ts';
import { CONFIGURATION_VERBS } from './verb-rows/configuration.ts';
import { FLAG_VERBS } from './verb-rows/flags.ts';
import { INSTALLATION_VERBS } from './verb-rows/installation.ts';
import { JOB_VERBS } from './verb-rows/jobs.ts';
import { KEY_VERBS } from './verb-rows/keys.ts';
import { LEDGER_VERBS } from './verb-rows/ledger.ts';
import { LIMIT_VERBS } from './verb-rows/limits.ts';
import { PEOPLE_VERBS } from './verb-rows/people.ts';
import { SECRET_VERBS } from './verb-rows/secrets.ts';
import { TENANT_VERBS } from './verb-rows/tenants.ts';

/** The one option that groups of verbs have, too. */
export const LANGUAGE_OPTION: OptionSpec = { flags: '--lang <language>', text: 'lang' };

/** Options of every verb. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--data-dir <path>', text: 'dataDir' },
  { flags: '--config <file>', text: 'config' },
  { flags: '--json', text: 'json' },
  LANGUAGE_OPTION,
];

/** In the order in which help shows them. */
export const VERBS: Readonly<Record<keyof Messages['verbs'], Verb>> = {
  ...INSTALLATION_VERBS,
  ...BACKUP_VERBS,
  ...LIMIT_VERBS,
  ...KEY_VERBS,
  ...TENANT_VERBS,
  ...PEOPLE_VERBS,
  ...FLAG_VERBS,
  ...JOB_VERBS,
  ...LEDGER_VERBS,
  ...CONFIGURATION_VERBS,
  ...SECRET_VERBS,
};
