/**
 * Carries plans out: looks at intervals at every flag that has a running one, decides, writes
 * the outcome and has it written down. Every process does so; a flag's version lets one of them
 * win, and the others find it done.
 *
 * While the database is away nothing is decided: a share stays as it is.
 */
import type { Clock, Timer } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { ArmFiguresReader } from '../ports/arm-figures.ts';
import type { FlagRecord, FlagRepository } from '../ports/flag-repository.ts';
import { applied, decide } from './rollout.ts';

export interface RolloutEvent {
  readonly flag: string;
  readonly kind: 'advance' | 'complete' | 'roll_back';
  readonly percentage: number;
  /** The guard that broke; null where none did. */
  readonly guard: string | null;
  readonly samples: number;
  readonly failures: number;
}

export interface RolloutRunnerOptions {
  readonly repository: Pick<FlagRepository, 'all' | 'save'>;
  readonly figures: ArmFiguresReader;
  /** Resolves when this process knows what changed. */
  readonly refresh: () => Promise<void>;
  /** Writes it down; only the process that won is told. */
  readonly tell: (event: RolloutEvent) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly intervalMs: number;
}

export interface RolloutRunner {
  /** Decides once. Never rejects. */
  run(): Promise<void>;
  stop(): void;
}

export function startRollouts(options: RolloutRunnerOptions): RolloutRunner {
  const { repository, clock, log, intervalMs } = options;
  let timer: Timer | null = null;
  let isStopped = false;

  async function run(): Promise<void> {
    try {
      const running = (await repository.all()).filter(isRunning);
      for (const record of running) await step(record, options);
    } catch (error) {
      log.warn('plans of flags could not be carried on', { error });
    }
  }

  function wait(): void {
    if (isStopped) return;
    timer = clock.setTimer(intervalMs, () => void run().then(wait));
  }

  wait();
  return {
    run,
    stop() {
      isStopped = true;
      timer?.cancel();
    },
  };
}

async function step(record: FlagRecord, options: RolloutRunnerOptions): Promise<void> {
  const { repository, clock, log } = options;
  const { name, rollout } = record;
  if (rollout === null) return;
  const figures = await options.figures.read(name, Date.parse(rollout.step_since));
  const nowMs = clock.wallMs();
  const decision = decide(rollout, figures, nowMs);
  const next = applied(record, decision, figures, nowMs);
  if (next === null || decision.kind === 'hold' || !(await repository.save(next))) return;
  const guard = decision.kind === 'roll_back' ? decision.guard : null;
  const { samples, failures } = figures.candidate;
  const event = { kind: decision.kind, percentage: next.percentage, guard, samples, failures };
  log[guard === null ? 'info' : 'warn']('plan of a flag', { flag: name, ...event });
  options.tell({ flag: name, ...event });
  await options.refresh();
}

function isRunning({ rollout }: FlagRecord): boolean {
  return rollout?.status === 'running';
}
