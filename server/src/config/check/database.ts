/**
 * The settings of the database: addresses that lead somewhere, roles of one and the same
 * database, and settings of a PostgreSQL that is not there.
 */
import { isPostgres, problemOfPostgresUrl } from '../database.ts';
import { sqliteFileOf } from '../sqlite-url.ts';
import { type CheckInput, type Report, refuse, warn } from './report.ts';

const URLS = ['url', 'migration_url', 'writer_url'] as const;
const ACCEPTED = 'postgres://role:password@host[:port]/database[?sslmode=…]';

export function checkDatabase(input: CheckInput, report: Report): void {
  const { database, environment } = input.settings;
  if (!isPostgres(database.url)) {
    checkFile(input, report);
    return;
  }
  for (const name of URLS) {
    const url = database[name];
    const problem = url === undefined ? null : problemOfPostgresUrl(url);
    if (problem === null) continue;
    refuse(report, input, ['database', name], `${problem}; accepted: ${ACCEPTED}`);
  }
  if (database.pooler === 'transaction') checkPooled(input, report);
  if (database.echo && environment === 'production') {
    refuse(report, input, ['database', 'echo'], 'is on in production; accepted: false');
  }
}

/** What outlives a transaction cannot go through such a pooler. */
function checkPooled(input: CheckInput, report: Report): void {
  const { database } = input.settings;
  for (const name of ['migration_url', 'writer_url'] as const) {
    const url = database[name];
    if (url !== undefined && hostOf(url) !== hostOf(database.url)) continue;
    const what = 'must lead to the server itself, past the pooler (`database.pooler`)';
    refuse(report, input, ['database', name], `${what}; accepted: ${ACCEPTED}`);
  }
}

/** With its port; null where it is no address, which is told elsewhere. */
function hostOf(url = ''): string | null {
  const plain = url.replace(/^postgres(ql)?(\+\w+)?:/, 'http:');
  return URL.canParse(plain) ? new URL(plain).host : null;
}

function checkFile(input: CheckInput, report: Report): void {
  const { settings, origin } = input;
  const { url, ...others } = settings.database;
  if (url !== undefined && sqliteFileOf(url) === null) {
    const message = 'does not name a file; accepted: `sqlite:relative.db`, `sqlite:/absolute.db`';
    refuse(report, input, ['database', 'url'], message);
  }
  for (const name of Object.keys(others)) {
    const path = ['database', name];
    if (!origin.isWritten(path)) continue;
    warn(report, input, path, 'has no effect until `database.url` names a PostgreSQL');
  }
}
