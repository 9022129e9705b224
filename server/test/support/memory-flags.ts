/** Flags kept in memory, behind the very use cases and evaluator of the program. */
import type { FlagControl } from '../../src/http/admin/services.ts';
import type { Clock } from '../../src/kernel/clock.ts';
import { silentLog } from '../../src/kernel/log.ts';
import {
  createFlagEngine,
  createFlagSnapshot,
  createFlagUseCases,
} from '../../src/operations/index.ts';
import type { FlagRecord, FlagRepository } from '../../src/operations/ports/flag-repository.ts';

export function memoryFlags(): FlagRepository & { readonly rows: Map<string, FlagRecord> } {
  const rows = new Map<string, FlagRecord>();
  return {
    rows,
    all: async () => [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    async save(record) {
      if ((rows.get(record.name)?.version ?? 0) !== record.version - 1) return false;
      rows.set(record.name, record);
      return true;
    },
    remove: async (name) => rows.delete(name),
  };
}

export function flagControl(clock: Clock): FlagControl {
  const repository = memoryFlags();
  const engine = createFlagEngine({ domain: 'test', process: 'host-1' });
  const isForcedOff = (): boolean => false;
  const snapshot = createFlagSnapshot({ repository, engine, isForcedOff, clock, log: silentLog });
  const refresh = () => snapshot.refresh();
  return {
    ...createFlagUseCases({ repository, refresh, clock }),
    isForcedOff,
    evaluate: (name, subject) => snapshot.evaluate(name, subject),
  };
}
