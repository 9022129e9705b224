/**
 * The ledger's months on PostgreSQL. They are made ahead by a function that runs with its
 * owner's rights, so that the role that writes the ledger needs none on tables. A row whose
 * month is not there goes into the default partition, and is found there as anywhere.
 */
import { type Kysely, sql } from 'kysely';

export const MONTHS_AHEAD = 3;

/** A month that has rows in the default partition already stays there. */
const MAKE_PARTITIONS = `
  create function esclusa_make_partitions(from_ms bigint, months integer) returns void
  language plpgsql security definer set search_path from current as $$
  declare
    month timestamp;
    lower_ms bigint;
    upper_ms bigint;
    part text;
  begin
    perform pg_advisory_xact_lock(7206312);
    for step in 0 .. months - 1 loop
      month := date_trunc('month', to_timestamp(from_ms / 1000.0) at time zone 'UTC')
        + step * interval '1 month';
      lower_ms := extract(epoch from month) * 1000;
      upper_ms := extract(epoch from month + interval '1 month') * 1000;
      part := 'requests_' || to_char(month, 'YYYY_MM');
      continue when to_regclass(part) is not null;
      continue when exists (
        select from requests_default where created_at_ms >= lower_ms and created_at_ms < upper_ms
      );
      execute format(
        'create table %I partition of requests for values from (%s) to (%s)',
        part, lower_ms, upper_ms
      );
    end loop;
  end $$`;

export async function createPartitions(db: Kysely<unknown>, nowMs: number): Promise<void> {
  await sql`create table requests_default partition of requests default`.execute(db);
  await sql.raw(MAKE_PARTITIONS).execute(db);
  await sql`revoke execute on function esclusa_make_partitions from public`.execute(db);
  await sql`select esclusa_make_partitions(${nowMs}, ${MONTHS_AHEAD})`.execute(db);
}
