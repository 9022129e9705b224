/**
 * What an installation says of its PostgreSQL, and what the parts of the engine share.
 */
import type { Clock } from '../../../kernel/clock.ts';
import type { FaultPoints } from '../../../kernel/fault.ts';
import type { Log } from '../../../kernel/log.ts';
import type { Random } from '../../../kernel/random.ts';
import type { JournalPlace } from '../../applying/index.ts';
import type { Report } from '../../applying/report.ts';
import type { QueryWatch } from '../../query-watch.ts';
import type { ConnectionDemand } from './budget.ts';
import type { SessionLimits } from './client.ts';
import type { PoolSettings } from './pool.ts';

export interface PostgresSettings {
  /** The address and role that requests run under. */
  readonly url: string;
  /** The role that owns the tables; null: as `url`. */
  readonly migrationUrl: string | null;
  /** The role that writes the ledger; null: as `url`. */
  readonly writerUrl: string | null;
  readonly pool: PoolSettings;
  /** `url` leads to a pooler that lends connections for one transaction each. */
  readonly isPooled: boolean;
  /** Connections for long questions, beside the pool. */
  readonly analyticsSize: number;
  /** Processes that use this database, on all hosts. */
  readonly processes: number;
  /** Refuses a role that row-level security does not bind. */
  readonly strictRole: boolean;
  /** Writes statements, without their values, to the log. */
  readonly echo: boolean;
}

/** What databases of single tenants may take of a server. */
export interface TenantShare {
  /** Open at once in a process. */
  readonly openMax: number;
  /** Connections of a process to each. */
  readonly connections: number;
}

export interface PostgresOptions extends JournalPlace {
  readonly settings: PostgresSettings;
  readonly tenants: TenantShare;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly faults: FaultPoints;
  /** How often changes of other processes are looked for, and whether the database answers. */
  readonly pollMs: number;
  /** How long the start waits for a database that does not answer. */
  readonly startWaitMs: number;
  readonly onReport: (report: Report) => void;
  readonly queries: QueryWatch;
  /** The ledger's thread is new and knows nothing of the journal. */
  readonly onWriterRestart: () => void;
}

/** Requests of people must be answered within five seconds, if only with a refusal. */
export const HOT: SessionLimits = {
  statementMs: 4000,
  lockMs: 3000,
  silenceMs: 4500,
  connectMs: 10_000,
};
export const ANALYTICS: SessionLimits = {
  statementMs: 30_000,
  lockMs: 3000,
  silenceMs: 31_000,
  connectMs: 10_000,
};
export const LEDGER: SessionLimits = {
  statementMs: 30_000,
  lockMs: 10_000,
  silenceMs: 35_000,
  connectMs: 10_000,
};
/** The watch has a deadline of its own, which the driver's timers must not forestall. */
export const WATCH: SessionLimits = {
  statementMs: 1500,
  lockMs: 1000,
  silenceMs: 0,
  connectMs: 5000,
};
export const MINUTES: SessionLimits = {
  statementMs: 600_000,
  lockMs: 2000,
  silenceMs: 610_000,
  connectMs: 10_000,
};
export const START: SessionLimits = { ...HOT, connectMs: 5000 };

/** The ledger's, the watch's, and one at the start and while rows are forgotten. */
const SINGLE_CONNECTIONS = 3;

/** Past a pooler: the ledger's, and one while rows are forgotten or tables made. */
const PAST_POOLER = 2;

/** What the processes may open to the server itself; a pooler bounds what goes through it. */
export function demandOf(settings: PostgresSettings): ConnectionDemand {
  const { pool, processes, analyticsSize, isPooled } = settings;
  if (isPooled) return { processes, poolSize: 0, maxOverflow: 0, besides: PAST_POOLER };
  const besides = analyticsSize + SINGLE_CONNECTIONS;
  return { processes, poolSize: pool.size, maxOverflow: pool.maxOverflow, besides };
}
