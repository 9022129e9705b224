/**
 * What went wrong, in one line for people: our own failures as they are, coded errors in the
 * language of the command, a broken configuration with each of its problems, and anything else
 * as something unexpected. Told apart by shape, so that nothing has to be loaded for it.
 */
import { CliFailure } from './failure.ts';
import type { Messages } from './messages/index.ts';

export interface Explanation {
  readonly message: string;
  readonly code: string;
  readonly exitCode: 1 | 2;
}

export function explain(error: unknown, say: Messages): Explanation {
  if (error instanceof CliFailure) {
    const { message, code, exitCode } = error;
    return { message, code, exitCode };
  }
  if (!(error instanceof Error)) {
    return { message: say.unexpected(String(error)), code: 'unexpected', exitCode: 1 };
  }
  if (error.name === 'MasterSecretError') {
    return { message: error.message, code: 'master_secret', exitCode: 1 };
  }
  if (error.name === 'ConfigError') {
    return { message: error.message, code: 'configuration', exitCode: 1 };
  }
  if (error.name === 'BackupError' && 'code' in error && 'details' in error) {
    const code = String(error.code) as keyof Messages['backup']['failures'];
    const details = error.details as Readonly<Record<string, string>>;
    return { message: say.backup.failures[code](details), code, exitCode: 1 };
  }
  if (error.name === 'GatewayError' && 'code' in error) {
    return explainCoded(error, String(error.code), say);
  }
  const code = 'code' in error ? ` (${String(error.code)})` : '';
  const message = say.unexpected(`${error.message}${code}`);
  return { message, code: 'unexpected', exitCode: 1 };
}

/** The code of an error of the catalogue; null for any other. */
export function codeOf(error: unknown): string | null {
  const isCoded = error instanceof Error && error.name === 'GatewayError' && 'code' in error;
  return isCoded ? String(error.code) : null;
}

/** Where a member of a body comes from, where its option is named otherwise. */
const OPTION_OF: Readonly<Record<string, string>> = {
  requests_per_minute: '--requests-per-minute',
  tokens_per_minute: '--tokens-per-minute',
  expires_at: '--expires',
  limit_usd: '--budget',
  period: '--budget',
  email: '<email>',
  name: '<name>',
  password_hash: '--password-hash',
  slug: '<slug>',
};

const VARIABLE = /^[A-Z][A-Z0-9_]+$/;

function explainCoded(error: Error, code: string, say: Messages): Explanation {
  const field = 'field' in error && typeof error.field === 'string' ? error.field : null;
  if (code === 'invalid_request' && field !== null) {
    const member = field.split('.').findLast((part) => !/^\d+$/.test(part)) ?? field;
    const option = OPTION_OF[member] ?? `--${member}`;
    const why: string | undefined = say.refusals[member as keyof Messages['refusals']];
    return { message: say.usage.badValue(option, why ?? error.message), code, exitCode: 2 };
  }
  const worded: string | undefined = say.errors[code as keyof Messages['errors']];
  // A variable that is at fault is named, whatever the words.
  const where = field !== null && VARIABLE.test(field) ? `${field}: ` : '';
  return { message: worded === undefined ? error.message : where + worded, code, exitCode: 1 };
}
