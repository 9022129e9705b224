/**
 * Erasing while another process still reads what is erased, and while the database of one tenant
 * is away. Method: a real file, and a second connection to it.
 */
import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { afterwards, temporaryFolder } from '../../support/afterwards.ts';
import { filesWith } from '../../support/planted.ts';
import { databasePath, openAt } from '../../support/storage.ts';
import { tenantRecord, withTenants } from '../../support/tenant-record.ts';

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

test('a tenant whose database is away keeps nobody else’s old bodies', async (t) => {
  const dataDir = temporaryFolder(t);
  const { tenants, bodies, close } = await withTenants(openAt({ dataDir }));
  afterwards(t, close);
  await tenants.insert(tenantRecord('away', { place: { kind: 'file' } })); // which is not there
  for (let at = 0; at < 45; at += 1) {
    const request = { bytes: Buffer.from(CANARY), truncated: false };
    const kept = { tenant: 'acme', createdAtMs: 1, request, response: null };
    bodies.keep({ requestId: `req_${at}`, ...kept });
  }
  await bodies.get('req_44', 'acme');

  const erased = [await bodies.eraseBefore(2, 20), await bodies.eraseBefore(2, 20)];
  await assert.rejects(bodies.eraseBefore(2, 20), { code: 'storage_unavailable' });

  const reader = new DatabaseSync(databasePath(dataDir));
  afterwards(t, () => reader.close());
  assert.deepEqual(erased, [20, 20]);
  assert.equal(reader.prepare('select count(*) as rows from bodies').get()?.rows, 0);
});
