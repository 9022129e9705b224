/**
 * Writes the audit log: events wait in a bounded queue and go into the chain in batches, in the
 * order in which they came. Who records may wait until the event is in the database.
 *
 * While the database is away events wait and are tried again; beyond the bound the newest are
 * lost, which is counted and told once. It never rejects: an operator must be able to act while
 * the database is away.
 */
import type { Clock } from '../../kernel/clock.ts';
import type { Log } from '../../kernel/log.ts';
import type { AuditEvent, AuditRepository, SealEvent } from '../ports/audit-repository.ts';

const BATCH = 100;
const MAX_WAITING = 10_000;
const RETRY_MS = 1000;

export interface AuditLog {
  /** True once it is in the chain; false where the database is away, or it was lost. */
  record(event: Omit<AuditEvent, 'atMs'>): Promise<boolean>;
  figures(): { readonly waiting: number; readonly lost: number };
  /** Tries once more to write what waits. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  readonly repository: Pick<AuditRepository, 'append'>;
  readonly seal: SealEvent;
  readonly clock: Clock;
  readonly log: Log;
  /** 10 000. */
  readonly maxWaiting?: number;
}

interface Waiting {
  readonly event: AuditEvent;
  readonly tell: (isWritten: boolean) => void;
}

export function createAuditLog(options: AuditLogOptions): AuditLog {
  const { repository, seal, clock, log, maxWaiting = MAX_WAITING } = options;
  const waiting: Waiting[] = [];
  let writing: Promise<void> | null = null;
  let isAway = false;
  let lost = 0;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH);
      try {
        await repository.append(
          batch.map(({ event }) => event),
          seal,
        );
      } catch (error) {
        if (!isAway) log.error('the audit log cannot be written; events wait', { error });
        isAway = true;
        for (const { tell } of waiting) tell(false);
        clock.setTimer(RETRY_MS, write);
        return;
      }
      if (isAway) log.info('the audit log is written again', { waiting: waiting.length });
      isAway = false;
      waiting.splice(0, batch.length);
      for (const { tell } of batch) tell(true);
    }
  }

  function write(): void {
    writing ??= drain().finally(() => {
      writing = null;
    });
  }

  return {
    record(event) {
      if (waiting.length >= maxWaiting) {
        if (lost === 0) log.error('events of the audit log are lost', { waiting: maxWaiting });
        lost += 1;
        return Promise.resolve(false);
      }
      return new Promise((resolve) => {
        waiting.push({ event: { ...event, atMs: clock.wallMs() }, tell: resolve });
        if (isAway) resolve(false);
        else write();
      });
    },
    figures: () => ({ waiting: waiting.length, lost }),
    async close() {
      write();
      await writing;
    },
  };
}
