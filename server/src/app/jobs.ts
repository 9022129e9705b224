/**
 * What this process does in the background, and the queue it takes that from.
 */

import { createAnchoring } from '../identity/index.ts';
import { bodyRetention } from '../operations/body-retention.ts';
import { createJobRunner, type JobKind } from '../operations/index.ts';
import { single } from '../telemetry/metrics.ts';
import { createLateRows, type LateRows } from './erased-rows.ts';
import type { LiveGeneration } from './generations.ts';
import type { Parts, Undo } from './parts.ts';

const MS_PER_SECOND = 1000;
/** Of prompts and answers: a file is overwritten where they stood, a server clears up later. */
const FILE_BATCH = 20;
const SERVER_BATCH = 500;
/** Rows of the ledger are small. */
const LEDGER_BATCH = 500;
/** At half past two in the night (UTC). */
const SWEEPS = { everyMs: 86_400_000, offsetMs: 9_000_000 };
const ANCHORS = { everyMs: 3_600_000, offsetMs: 0 };

/** Begins a few seconds after the start. */
export function startJobs(parts: Parts, current: () => LiveGeneration, undo: Undo): void {
  const { clock, random, ids, storage, telemetry } = parts;
  const { metrics } = telemetry;
  const lateRows = createLateRows(parts);
  undo.push(lateRows.watch());
  const runner = createJobRunner({
    ...{ clock, random, queue: storage.jobs, owner: ids.next('worker') },
    log: telemetry.log.named('jobs'),
    kinds: jobKinds(parts, current, lateRows),
    onEnd: (kind, outcome) => metrics.jobRuns.child({ kind, outcome }).add(1),
  });
  metrics.jobs.sample(() => {
    const figures = runner.figures();
    if (figures === null) return [];
    const { waiting, running, dead } = figures;
    return Object.entries({ waiting, running, dead }).map(([state, value]) => ({
      labels: { state },
      value,
    }));
  });
  metrics.jobsDue.sample(single(() => (runner.figures()?.oldestDueMs ?? 0) / MS_PER_SECOND));
  runner.start();
  undo.push(() => runner.stop());
}

function jobKinds(
  parts: Parts,
  current: () => LiveGeneration,
  lateRows: LateRows,
): readonly JobKind[] {
  const { clock, storage, telemetry } = parts;
  const { bodies, responses, ledgerRows } = storage;
  const log = telemetry.log.named('retention');
  const days = (of: 'capture' | 'responses' | 'ledger') => () => current().config[of].retentionDays;
  const batch = parts.loaded.config.database.kind === 'postgres' ? SERVER_BATCH : FILE_BATCH;
  return [
    bodyRetention({
      ...{ clock, log, bodies, what: 'bodies', batchMax: batch },
      retentionDays: days('capture'),
    }),
    bodyRetention({
      ...{ clock, log, bodies: responses, what: 'responses', batchMax: batch },
      retentionDays: days('responses'),
    }),
    bodyRetention({
      ...{ clock, log, bodies: ledgerRows, what: 'exchanges', batchMax: LEDGER_BATCH },
      retentionDays: days('ledger'),
    }),
    { kind: 'tenants.sweep', every: SWEEPS, run: (_payload, signal) => lateRows.sweep(signal) },
    auditAnchor(parts),
  ];
}

function auditAnchor({ storage, telemetry }: Parts): JobKind {
  const tell = createAnchoring(storage.audit, telemetry.log.named('audit'));
  return { kind: 'audit.anchor', every: ANCHORS, run: () => tell() };
}
