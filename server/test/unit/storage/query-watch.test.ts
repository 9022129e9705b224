/**
 * Goal: statements are counted by what they do and the table they name, and failures by a code
 * that can be a label. Method: statements as the engines write them.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GatewayError } from '../../../src/gateway/model/errors.ts';
import { createQueryWatch } from '../../../src/storage/query-watch.ts';

function watching() {
  const told: string[] = [];
  const watch = createQueryWatch({
    done: (operation, table, durationMs) => told.push(`${operation} ${table} ${durationMs}`),
    failed: (operation, table, errorType) => told.push(`${operation} ${table} ! ${errorType}`),
  });
  return { told, watch };
}

test('a statement is told by its verb and its first table, whatever the engine quotes', () => {
  const { told, watch } = watching();

  watch.ended('select "id" from "api_keys" where "id" = ?', 1);
  watch.ended('insert into "tenants" ("id") values ($1)', 2);
  watch.ended('update "public"."users" set "name" = $1', 3);
  watch.ended('delete from bodies where created_at_ms < ?', 4);
  watch.ended('with seen as (select 1) select * from seen', 5);
  watch.ended('pragma wal_checkpoint(truncate)', 6);

  assert.deepEqual(told, [
    'select api_keys 1',
    'insert tenants 2',
    'update users 3',
    'delete bodies 4',
    'select seen 5',
    'other none 6',
  ]);
});

test('what only bounds a transaction is not told', () => {
  const { told, watch } = watching();

  for (const sql of ['begin immediate', 'commit', 'rollback', 'set local role x']) {
    watch.ended(sql, 1);
  }

  assert.deepEqual(told, []);
});

test('a failure is told by the code of its cause, never by its text', () => {
  const { told, watch } = watching();
  const cause = Object.assign(new Error('duplicate key (secret)'), { code: '23505' });

  watch.ended('insert into users', 1, new GatewayError('storage_unavailable', { cause }));
  watch.ended('insert into users', 1, new GatewayError('storage_unavailable'));
  watch.ended('insert into users', 1, new Error('anything'));

  assert.deepEqual(told, [
    'insert users ! 23505',
    'insert users ! storage_unavailable',
    'insert users ! other',
  ]);
});

test('a batch of the ledger is one insert', () => {
  const { told, watch } = watching();

  watch.batchWritten(7);
  watch.batchFailed();

  assert.deepEqual(told, ['insert requests 7', 'insert requests ! storage_unavailable']);
});
