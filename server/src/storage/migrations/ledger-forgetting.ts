/**
 * Forgetting ledger rows on PostgreSQL: the eldest month that ended before an instant is added
 * to the sums of its days and dropped whole, in one transaction; rows that found no month of
 * theirs go in batches. It runs with its owner's rights: the role that calls it owns nothing.
 *
 * While a month is summed up it can be read, and only it takes no rows; the lock that dropping
 * it needs on the whole ledger is held for a moment and waited for shortly.
 */
import { type Kysely, sql } from 'kysely';
import { addToDays } from '../usage-days.ts';

const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Answers how many rows went; `batch` or more: there may be others. */
const FORGET = `
  create function esclusa_forget_ledger(before_ms bigint, batch integer) returns bigint
  language plpgsql security definer set search_path from current as $$
  declare
    part text;
    forgotten bigint;
  begin
    if not pg_try_advisory_xact_lock(7206313) then
      return 0;
    end if;
    perform set_config('esclusa.tenant', '*', true);
    perform set_config('lock_timeout', '2s', true);
    select relname into part
      from pg_inherits join pg_class on pg_class.oid = inhrelid
      where inhparent = 'requests'::regclass and relname ~ '^requests_[0-9]{4}_[0-9]{2}$'
      order by relname limit 1;
    if part is not null and before_ms >= 1000 * extract(
      epoch from to_date(right(part, 7), 'YYYY_MM') + interval '1 month'
    ) then
      execute format('lock table %I in share row exclusive mode', part);
      execute format('select count(*) from %I', part) into forgotten;
      execute format(${quoted(addToDays('%I'))}, part);
      execute format('drop table %I', part);
      return greatest(forgotten, batch);
    end if;
    with gone as (
      delete from requests_default where (created_at_ms, id) in (
        select created_at_ms, id from requests_default where created_at_ms < before_ms
        order by created_at_ms, id limit batch
      )
      returning *
    ), added as (${addToDays('gone')} returning 1)
    select count(*) into forgotten from gone;
    return forgotten;
  end $$`;

export async function createForgetting(db: Kysely<unknown>): Promise<void> {
  await sql.raw(FORGET).execute(db);
  await sql`revoke execute on function esclusa_forget_ledger from public`.execute(db);
}
