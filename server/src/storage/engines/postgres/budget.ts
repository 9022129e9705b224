/**
 * How many connections an installation may open, before it opens them: a pool belongs to a
 * process, the server's limit to all processes together. A fifth of what the server gives
 * stays free for migrations, backups and people.
 */
export interface ConnectionDemand {
  /** Processes that use this database, on all hosts. */
  readonly processes: number;
  readonly poolSize: number;
  readonly maxOverflow: number;
  /** Connections of a process outside the pool of requests. */
  readonly besides: number;
  /** Connections of a process to other databases of ours on the same server; none. */
  readonly others?: number;
  /** What sizes the pool: `DB_POOL_SIZE` and `DB_MAX_OVERFLOW`. */
  readonly names?: readonly [size: string, maxOverflow: string];
}

const POOL_NAMES = ['DB_POOL_SIZE', 'DB_MAX_OVERFLOW'] as const;

export interface ConnectionSupply {
  readonly maxConnections: number;
  /** Kept by the server for superusers. */
  readonly reserved: number;
}

const SHARE = 0.8;

/** What is wrong, with the numbers; null where the demand fits. */
export function overBudget(demand: ConnectionDemand, supply: ConnectionSupply): string | null {
  const { processes, poolSize, maxOverflow, besides, others = 0 } = demand;
  const [sizeName, overflowName] = demand.names ?? POOL_NAMES;
  const { maxConnections, reserved } = supply;
  const perProcess = poolSize + maxOverflow + besides + others;
  const wanted = processes * perProcess;
  const allowed = Math.floor(maxConnections * SHARE) - reserved;
  if (wanted <= allowed) return null;
  const fits = Math.floor(allowed / processes) - besides - others;
  const advice =
    fits > 0
      ? `Lower ${sizeName} + ${overflowName} to ${fits} or less, or raise max_connections.`
      : 'Raise max_connections, or run fewer processes.';
  return (
    `The database allows ${allowed} connections (0.8 × max_connections ${maxConnections} − ` +
    `${reserved} reserved), but ${processes} × (${sizeName} ${poolSize} + ${overflowName} ` +
    `${maxOverflow} + ${besides} of each process${elsewhere(others)}) = ${wanted} may be opened. ` +
    advice
  );
}

function elsewhere(others: number): string {
  return others === 0 ? '' : ` + ${others} to other databases of ours there`;
}
