/**
 * Checks of what is kept: the master secret and the database. They change neither: a secret
 * that is missing beside an existing database is a loss to be told, not a file to be made.
 */
import { access, stat } from 'node:fs/promises';
import type { Installation } from '../../app/installation.ts';
import { type Config, placeOf } from '../../config/index.ts';
import { createSecretFile, loadMasterSecret, MasterSecretError } from '../../identity/index.ts';
import type { Messages } from '../messages/index.ts';
import { type Finding, fault, good, reasonOf, remark } from './finding.ts';

const OTHERS = 0o077;

export async function checkSecrets(
  { doctor: say }: Messages,
  config: Config,
  { random }: Installation,
): Promise<Finding> {
  const file = createSecretFile(config.dataDir);
  try {
    if (config.masterSecret === null && file.read() === null) {
      const { database } = config;
      const isLost = database.kind === 'sqlite' && (await exists(database.file));
      return isLost ? fault('secrets', say.secrets.lost) : good('secrets', say.secrets.missing);
    }
    const master = loadMasterSecret(file, random, config.masterSecret);
    if (master.source === 'environment') return good('secrets', say.secrets.environment);
    return master.isExposed
      ? remark('secrets', say.secrets.exposed(file.path))
      : good('secrets', say.secrets.good);
  } catch (error) {
    const isOurs = error instanceof MasterSecretError;
    return fault('secrets', say.secrets.bad(isOurs ? error.message : reasonOf(error)));
  }
}

export async function checkDatabase(
  { doctor: say }: Messages,
  config: Config,
  installation: Installation,
): Promise<Finding> {
  const { database } = config;
  try {
    return database.kind === 'sqlite'
      ? await checkFile(say, database.file, installation)
      : await checkServer(say, placeOf(database), installation);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return fault('database', say.database.bad(message));
  }
}

async function checkFile(
  say: Messages['doctor'],
  file: string,
  installation: Installation,
): Promise<Finding> {
  if (!(await exists(file))) return good('database', say.database.missing);
  await installation.openDatabase();
  const damage = await damageOf(file);
  if (damage !== null) return fault('database', say.database.bad(damage));
  return (await isExposed(file))
    ? remark('database', say.database.exposed(file))
    : good('database', say.database.good(file));
}

/** Opening checks version, rights, migrations and the budget of connections. */
async function checkServer(
  say: Messages['doctor'],
  place: string,
  installation: Installation,
): Promise<Finding> {
  const { connection, facts } = await installation.openDatabase();
  if (!connection.healthy) return fault('database', say.database.bad(connection.error));
  const { role = '', roleRisk = null, version = '' } = facts ?? {};
  return roleRisk === null
    ? good('database', say.database.server(place, version))
    : remark('database', say.database.unbound(String(role), roleRisk));
}

/** Others than the owner may read it. Windows has no such bits. */
async function isExposed(file: string): Promise<boolean> {
  return process.platform !== 'win32' && ((await stat(file)).mode & OTHERS) !== 0;
}

/** What SQLite's own examination says; null where it finds nothing. */
async function damageOf(file: string): Promise<string | null> {
  const { DatabaseSync } = await import('node:sqlite');
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const row = database.prepare('pragma quick_check(1)').get();
    const verdict = String(Object.values(row ?? {})[0]);
    return verdict === 'ok' ? null : verdict;
  } finally {
    database.close();
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
