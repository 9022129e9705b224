/**
 * From the environment and the file to a configuration: the only reader of the environment.
 *
 * Order: variables → file → `${NAME}` → variables over the file → schema → vendors' keys and
 * the built-in mock → checks that look at several settings. Nothing is half right: all problems
 * are thrown together as one `ConfigError`, and what cannot be honoured is never ignored.
 */
import { type Catalogue, withOwnRows } from './catalogue.ts';
import { checkDatabase } from './check/database.ts';
import { checkLimits } from './check/limits.ts';
import { checkNames } from './check/names.ts';
import { checkObjectStorage } from './check/object-storage.ts';
import { checkOwnAddress } from './check/own-address.ts';
import { checkRedis } from './check/redis.ts';
import { checkRelease } from './check/release.ts';
import type { CheckInput, Report } from './check/report.ts';
import { type Config, toConfig } from './config.ts';
import { withProfile } from './database.ts';
import { ConfigError, type Problem } from './problem.ts';
import { environmentOnly } from './schema/environment.ts';
import { fileSchema, type Settings } from './schema/file.ts';
import { listSettings } from './schema/list.ts';
import { bare, memberOf, type Path } from './schema/walk.ts';
import { type Environment, readEnvironment } from './source/environment.ts';
import { type FileAccess, systemFiles } from './source/files.ts';
import { problemsOf } from './source/issues.ts';
import { normalise, withValue } from './source/normalise.ts';
import { createOrigin, type Origin } from './source/origin.ts';
import { without } from './source/salvage.ts';
import { type FileSource, NO_FILE, readYaml, type Tree } from './source/yaml-file.ts';
import { fillGaps, providersFromKeys, readVendorKeys, withMock } from './vendors.ts';
import { hashOf } from './watch.ts';

/** How often what is left of a broken file is tried again before the checks go without. */
const SALVAGE_ROUNDS_MAX = 5;

export interface Sources {
  readonly env: Environment;
  readonly files: FileAccess;
  /** Options of the command line, by the variable that each was put in the place of. */
  readonly options?: Readonly<Record<string, string>>;
}

export interface LoadInput extends Sources {
  /** As it ships; the operator's own rows are laid over it. */
  readonly catalogue: Catalogue;
  /** Decides which prices of the catalogue are in force. */
  readonly nowMs: number;
  /** Lets names of the environment pass that have our prefix and are not ours. */
  readonly letsUnknownPass?: boolean;
}

export interface Loaded {
  readonly config: Config;
  /** The same in the words of the file: for display, differences, and target resolution. */
  readonly settings: Settings;
  /** With the operator's own rows. */
  readonly catalogue: Catalogue;
  readonly warnings: readonly Problem[];
  /** Names of the environment that stop a start, where they were let pass. */
  readonly unknownNames: readonly Problem[];
  /** The file that was read, or would be; watched for reloads. */
  readonly file: string;
  /** Tells two texts of the file apart; null: there is no file. */
  readonly fileHash: string | null;
}

/** The environment of this process and its files. */
export function systemSources(): Sources {
  return { env: process.env, files: systemFiles };
}

/** The configuration file these variables point to, and whether it has to exist. */
export function configFile(env: Environment): {
  readonly file: string;
  readonly required: boolean;
} {
  const named = env.ESCLUSA_CONFIG?.trim() ?? '';
  const fallback = String(bare(environmentOnly.ESCLUSA_CONFIG).fallback);
  return { file: (named || fallback).replace(/^\.\//, ''), required: named !== '' };
}

/** Reads, checks and freezes the configuration; throws a `ConfigError` with every problem. */
export async function load(input: LoadInput): Promise<Loaded> {
  const { env } = input;
  const environment = readEnvironment(env, listSettings(fileSchema));
  const { file, required } = configFile(env);
  const source = await readFileSource(input, file, required);
  const origin = createOrigin(file, source, environment.overrides);
  const report: Report = {
    problems: [...environment.problems, ...source.problems],
    warnings: [],
  };

  let tree = normalise(fileSchema, source.tree, source.references);
  for (const { path, value } of environment.overrides) tree = withValue(tree, path, value);
  const broken = source.problems.map(({ path }) => path).filter((path) => path.length > 0);
  const parsed = parseTree(tree, broken, origin, report);
  const settings = completed(parsed.settings, tree, input, report);
  const { catalogue, problems } = await withOwnRows(
    input.catalogue,
    input.files,
    settings.data_dir,
  );
  report.problems.push(...problems);
  const named = (section: 'providers' | 'models'): string[] => [
    ...new Set([...Object.keys(memberOf(tree, section) ?? {}), ...Object.keys(settings[section])]),
  ];
  const check: CheckInput = {
    ...{ settings, environment, origin, env, catalogue, nowMs: input.nowMs },
    providerNames: named('providers'),
    aliasNames: named('models'),
    broken: parsed.broken,
  };
  checkNames(check, report);
  checkOwnAddress(check, report);
  checkLimits(check, report);
  checkRedis(check, report);
  checkDatabase(check, report);
  checkObjectStorage(check, report);
  checkRelease(check, report);
  const fatal = settings.startup.fail_on_warning ? report.warnings : [];
  const found = [...report.problems, ...(input.letsUnknownPass ? [] : environment.unknown)];
  if (found.length + fatal.length > 0) {
    const all = [...report.problems, ...environment.unknown, ...fatal];
    throw new ConfigError(all.map((problem) => atOption(problem, input.options)));
  }
  const config = toConfig(settings, catalogue.vendors);
  const warnings = report.warnings.map((problem) => atOption(problem, input.options));
  const { unknown: unknownNames } = environment;
  return { config, settings, catalogue, warnings, unknownNames, file, fileHash: source.hash };
}

/** Blames the option that was given, and not the variable that it was put in the place of. */
function atOption(problem: Problem, options: Sources['options'] = {}): Problem {
  const { place, message } = problem;
  const name = place.kind === 'environment' ? options[place.name] : undefined;
  return name === undefined ? problem : { place: { kind: 'option', name }, path: [], message };
}

interface ReadFile extends FileSource {
  readonly hash: string | null;
}

async function readFileSource(
  { env, files }: LoadInput,
  file: string,
  required: boolean,
): Promise<ReadFile> {
  const complain = (message: string): ReadFile => {
    const place = { kind: 'environment', name: 'ESCLUSA_CONFIG' } as const;
    const problem: Problem = required
      ? { place, path: [], message }
      : { place: { kind: 'file', file, line: 1, column: 1 }, path: [], message };
    return { ...NO_FILE, problems: [problem], hash: null };
  };
  try {
    const text = await files.read(file);
    if (text !== null) return { ...(await readYaml(file, text, env)), hash: hashOf(text) };
    return required ? complain(`there is no file ${file}`) : { ...NO_FILE, hash: null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    return complain(`the file ${file} cannot be read (${code})`);
  }
}

interface Parsed {
  readonly settings: Settings;
  readonly broken: readonly Path[];
}

/** Settings of the tree, or of what is right in it; what is wrong is reported. */
function parseTree(tree: Tree, unset: readonly Path[], origin: Origin, report: Report): Parsed {
  let broken = unset;
  for (let round = 0; round < SALVAGE_ROUNDS_MAX; round += 1) {
    const rest = without(tree, broken);
    const result = fileSchema.safeParse(rest, { jitless: true });
    if (result.success) return { settings: result.data, broken };
    const { issues } = result.error;
    if (round === 0) report.problems.push(...problemsOf(fileSchema, rest, issues, origin));
    const paths = issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys'
        ? issue.keys.map((key) => [...issue.path, key] as Path)
        : [issue.path as Path],
    );
    broken = [...broken, ...paths];
  }
  return { settings: fileSchema.parse({}), broken };
}

/** Adds what nobody wrote: vendors whose key is set, the mock, addresses and keys of vendors. */
function completed(settings: Settings, tree: Tree, input: LoadInput, report: Report): Settings {
  const { vendors } = input.catalogue;
  const keys = readVendorKeys(vendors, input.env);
  report.problems.push(...keys.problems);
  const isListed = Object.keys(memberOf(tree, 'providers') ?? {}).length > 0;
  const providers = isListed ? settings.providers : providersFromKeys(vendors, keys);
  const complete = {
    ...settings,
    providers: fillGaps(providers, vendors, keys),
    database: withProfile(settings.database, memberOf(tree, 'database')),
  };
  return complete.environment === 'production' ? complete : withMock(complete);
}
