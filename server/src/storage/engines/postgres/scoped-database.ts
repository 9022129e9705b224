/**
 * A pool as repositories use it: each question and each transaction under the scope of one
 * tenant, or of all of them. A transaction that met another, or lost its connection before
 * anything could be in force, is run again.
 */
import { Kysely, type Transaction } from 'kysely';
import { GatewayError } from '../../../gateway/model/errors.ts';
import type { Clock } from '../../../kernel/clock.ts';
import { sleep } from '../../../kernel/deadline.ts';
import type { Random } from '../../../kernel/random.ts';
import type { SqlValue, TenantScope } from '../../engine.ts';
import { endOf, type QueryWatch, watched } from '../../query-watch.ts';
import type { Schema } from '../../schema.ts';
import type { Availability } from './availability.ts';
import { createScopedDialect, readOnce, type ScopeOptions } from './dialect.ts';
import type { ConnectionPool } from './pool.ts';
import { troubleOf } from './sqlstate.ts';

export interface ScopedDatabaseOptions {
  readonly pool: ConnectionPool;
  readonly availability: Availability;
  readonly clock: Clock;
  readonly random: Random;
  /** Told of each statement, without its values; null: nobody is. */
  readonly echo: ((sql: string) => void) | null;
  readonly queries: QueryWatch;
}

const CONFLICTS_MAX = 6;
const CONFLICT_DELAY_MS = 20;
const NEVER = new AbortController().signal;

export class ScopedDatabase {
  readonly #options: ScopedDatabaseOptions;

  constructor(options: ScopedDatabaseOptions) {
    this.#options = options;
  }

  async read<Row>(
    tenant: TenantScope,
    sql: string,
    parameters: readonly SqlValue[],
  ): Promise<readonly Row[]> {
    const ask = () => readOnce(this.#scope(tenant), numbered(sql), parameters);
    return (await watched(this.#options, sql, ask)).rows as Row[];
  }

  builder(
    tenant: TenantScope,
    more: Pick<ScopeOptions, 'onCommit' | 'isFresh'> = {},
  ): Kysely<Schema> {
    const dialect = createScopedDialect({ ...this.#scope(tenant), ...more });
    const { queries } = this.#options;
    return new Kysely<Schema>({ dialect, log: (event) => queries.ended(...endOf(event)) });
  }

  async transact<T>(
    tenant: TenantScope,
    work: (transaction: Transaction<Schema>) => Promise<T>,
  ): Promise<T> {
    let wasLost = false;
    for (let conflicts = 0; ; ) {
      let isCommitting = false;
      const onCommit = () => {
        isCommitting = true;
      };
      try {
        const db = this.builder(tenant, { onCommit, isFresh: wasLost });
        return await db.transaction().execute(work);
      } catch (error) {
        const trouble = error instanceof GatewayError ? troubleOf(error.cause) : null;
        if (trouble === 'conflict' && conflicts < CONFLICTS_MAX) {
          conflicts += 1;
          await this.#rest(conflicts);
        } else if (trouble === 'lost' && !isCommitting && !wasLost) wasLost = true;
        else throw error;
      }
    }
  }

  #scope(tenant: TenantScope): ScopeOptions {
    const { pool, availability, echo } = this.#options;
    const base = { pool, availability, tenant };
    return echo === null ? base : { ...base, echo };
  }

  /** Longer each time, and never the same for two who met. */
  async #rest(conflicts: number): Promise<void> {
    const { clock, random } = this.#options;
    const delayMs = CONFLICT_DELAY_MS * 2 ** conflicts * random.float();
    await sleep(clock, delayMs, NEVER);
  }
}

/** `?` marks a parameter; no statement of ours has it in a text. */
export function numbered(sql: string): string {
  let count = 0;
  return sql.replace(/\?/g, () => {
    count += 1;
    return `$${count}`;
  });
}
