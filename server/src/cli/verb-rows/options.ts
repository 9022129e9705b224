/**
 * Options that several verbs have.
 */
import type { OptionSpec } from '../verb.ts';

export const TENANT: OptionSpec = { flags: '--tenant <slug>', text: 'tenant' };
export const LIMIT: OptionSpec = { flags: '--limit <count>', text: 'limit' };
export const BEFORE: OptionSpec = { flags: '--before <id>', text: 'before' };
export const YES: OptionSpec = { flags: '--yes', text: 'yes' };

export const ALLOWANCES: readonly OptionSpec[] = [
  { flags: '--requests-per-minute <count>', text: 'requestsPerMinute' },
  { flags: '--tokens-per-minute <count>', text: 'tokensPerMinute' },
  { flags: '--concurrency <count>', text: 'concurrency' },
  { flags: '--budget <amount>', text: 'budget' },
];
