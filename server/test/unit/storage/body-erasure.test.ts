/**
 * Erasing while another process still reads what is erased. Method: a real file, and a second
 * connection that holds an old view of it.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { filesWith } from '../../support/planted.ts';
import { databasePath, openAt } from '../../support/storage.ts';
import { withTenants } from '../../support/tenant-record.ts';

const CANARY = 'canary-91ab-el-prompt-plantado';

test('what a reader keeps from being erased is erased with the next call', async (t) => {
  const dataDir = temporaryFolder(t);
  const opening = openAt({ dataDir, limits: { busyTimeoutMs: 100 } });
  const { bodies, close } = await withTenants(opening);
  afterwards(t, close);
  const request = { bytes: Buffer.from(CANARY), truncated: false };
  const kept = { tenant: 'acme', createdAtMs: 1, request, response: null };
  bodies.keep({ requestId: 'req_1', ...kept });
  await bodies.get('req_1', 'acme');
  const reader = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => reader.close());
  reader.exec('begin');
  reader.prepare('select count(*) from bodies').get();

  await assert.rejects(bodies.eraseBefore(2, 10), { code: 'storage_unavailable' });
  assert.equal(await bodies.get('req_1', 'acme'), null);
  assert.notDeepEqual(filesWith(dataDir, CANARY), []);
  reader.exec('rollback');

  assert.equal(await bodies.eraseBefore(2, 10), 0);
  assert.deepEqual(filesWith(dataDir, CANARY), []);
});
