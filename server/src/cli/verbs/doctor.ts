/** `esclusa doctor`: every check, one line each, and what to do about what is wrong. */
import { join } from 'node:path';
import { ConfigError, type Loaded, type Problem, showProblem } from '../../config/index.ts';
import { existingFile } from '../config-file.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { checkDatabase, checkSecrets } from '../doctor/data.ts';
import { type Finding, fault, good, remark } from '../doctor/finding.ts';
import { checkDisk, checkFolder, checkNode, checkPort } from '../doctor/machine.ts';
import { checkProduction } from '../doctor/production.ts';
import { checkProviders } from '../doctor/providers.ts';
import { checkRedis } from '../doctor/redis.ts';

const MARKS = { good: '✓', remark: '!', fault: '✗' } as const;
const COLOURS = { good: 'green', remark: 'yellow', fault: 'red' } as const;

export async function run(context: VerbContext): Promise<number> {
  const { findings, loaded } = await examineConfiguration(context);
  const all = [
    checkNode(context.say, process.versions.node),
    ...findings,
    ...(loaded === null ? [] : await examineInstallation(context, loaded)),
  ];
  const faults = all.filter(({ state }) => state === 'fault').length;
  const remarks = all.filter(({ state }) => state === 'remark').length;
  if (context.isJson) writeJson(context, { is_good: faults === 0, checks: all });
  else report(context, all, faults, remarks);
  return faults === 0 ? 0 : 1;
}

async function examineConfiguration(
  context: VerbContext,
): Promise<{ findings: readonly Finding[]; loaded: Loaded | null }> {
  const { config: say } = context.say.doctor;
  try {
    const { loaded } = await context.installation.configuration('left');
    const file = (await existingFile(loaded.file)) ?? context.say.configNoFile;
    const warnings = loaded.warnings.map((warning) => remark('config', showProblem(warning)));
    const faults = faultsOf(context, loaded.unknownNames);
    const first = faults.length === 0 ? [good('config', say.good(file))] : faults;
    return { findings: [...first, ...warnings], loaded };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return { findings: faultsOf(context, error.problems), loaded: null };
  }
}

function faultsOf({ say }: VerbContext, problems: readonly Problem[]): readonly Finding[] {
  return problems.map((each) => fault('config', say.doctor.config.bad(showProblem(each))));
}

async function examineInstallation(
  { say, installation }: VerbContext,
  { config }: Loaded,
): Promise<readonly Finding[]> {
  const { dataDir, host, port } = config;
  const groups = await Promise.all([
    checkFolder('dataDir', say, dataDir),
    checkFolder('journal', say, join(dataDir, 'journal')),
    checkDisk(say, dataDir),
    checkSecrets(say, config, installation),
    checkDatabase(say, config, installation),
    checkPort(say, host, port),
    checkProviders(say, config, installation),
    checkRedis(say, config),
    config.environment === 'production' ? checkProduction(say, config) : [],
  ]);
  return groups.flat().filter((finding) => finding !== null);
}

function report(
  context: VerbContext,
  findings: readonly Finding[],
  faults: number,
  remarks: number,
): void {
  const { doctor: say } = context.say;
  const { terminal } = context;
  writeLine(context, terminal.style('bold', say.title));
  for (const { state, message } of findings) {
    writeLine(context, `${terminal.style(COLOURS[state], MARKS[state])} ${message}`);
  }
  if (faults > 0) writeLine(context, say.bad(faults));
  else writeLine(context, remarks > 0 ? say.warned(remarks) : say.good);
}
