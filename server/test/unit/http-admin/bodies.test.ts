/**
 * What was asked and answered, over HTTP: shown with a single row, to admins of its tenant and
 * superadmins alone, as text whatever the bytes.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { requestDetailSchema } from '@esclusa/contracts';
import type { KeptBodies } from '../../../src/gateway/index.ts';
import { type AdminFixture, createAdminFixture, ledgerEntry } from './fixture.ts';

const MEMBERS = [
  'request_body',
  'request_body_truncated',
  'response_body',
  'response_body_truncated',
];

let fixture: AdminFixture;
before(async () => {
  fixture = await createAdminFixture();
});
after(() => fixture.app.close());
beforeEach(() => {
  fixture.rows.length = 0;
  fixture.bodies.length = 0;
});

function kept(changes: Partial<KeptBodies> = {}): KeptBodies {
  return {
    requestId: 'req_1',
    tenant: 'acme',
    createdAtMs: 0,
    request: { bytes: Buffer.from('{"asked":1}'), truncated: false },
    response: { bytes: Buffer.from('{"answ'), truncated: true },
    ...changes,
  };
}

async function read(secret: string, id = 'req_1') {
  const answer = await fixture.call(secret, `/api/v1/requests/${id}`);
  return { status: answer.statusCode, body: answer.json() };
}

function bodyMembers(body: Readonly<Record<string, unknown>>): readonly string[] {
  return MEMBERS.filter((name) => name in body);
}

describe('the bodies of GET /api/v1/requests/{id}', () => {
  for (const who of ['admin', 'superadmin'] as const) {
    it(`are shown to a ${who}, each with whether it was cut`, async () => {
      fixture.rows.push(ledgerEntry({ id: 'req_1' }));
      fixture.bodies.push(kept());

      const { body } = await read(fixture.secrets[who]);

      const shown = requestDetailSchema.parse(body);
      assert.equal(shown.request_body, '{"asked":1}');
      assert.equal(shown.request_body_truncated, false);
      assert.equal(shown.response_body, '{"answ');
      assert.equal(shown.response_body_truncated, true);
    });
  }

  it('are null where none were kept', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1' }));
    fixture.rows.push(ledgerEntry({ id: 'req_2' }));
    fixture.bodies.push(kept({ requestId: 'req_2', response: null }));

    const none = await read(fixture.secrets.admin, 'req_1');
    const half = await read(fixture.secrets.admin, 'req_2');

    assert.deepEqual(
      MEMBERS.map((name) => none.body[name]),
      [null, false, null, false],
    );
    assert.equal(half.body.request_body, '{"asked":1}');
    assert.equal(half.body.response_body, null);
  });

  it('are left out of a plain key’s own row', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1', keyId: fixture.serviceKeyId }));
    fixture.bodies.push(kept());

    const { status, body } = await read(fixture.secrets.service);

    assert.equal(status, 200);
    assert.deepEqual(bodyMembers(body), []);
    assert.ok(!JSON.stringify(body).includes('asked'));
  });

  it('are 404 with their row to the admin of another tenant', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1', tenant: 'globex' }));
    fixture.bodies.push(kept({ tenant: 'globex' }));

    const foreign = await read(fixture.secrets.admin);
    const missing = await read(fixture.secrets.admin, 'req_0');

    assert.equal(foreign.status, 404);
    assert.equal(foreign.body.error.message, missing.body.error.message);
  });

  it('are not those of another tenant under the same id', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1' }));
    fixture.bodies.push(kept({ tenant: 'globex' }));

    const { body } = await read(fixture.secrets.superadmin);

    assert.equal(body.request_body, null);
  });

  it('are in no list', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1' }));
    fixture.bodies.push(kept());

    const list = await fixture.call(fixture.secrets.superadmin, '/api/v1/requests');

    assert.equal(list.json().data.length, 1);
    assert.deepEqual(bodyMembers(list.json().data[0]), []);
  });

  for (const [what, bytes, truncated, text] of [
    ['NUL', [0x61, 0x00, 0x62], false, 'a\u0000b'],
    ['bytes that are no UTF-8', [0x61, 0xff, 0x62], false, 'a\ufffdb'],
    ['an encoded surrogate', [0xed, 0xa0, 0x80], false, '\ufffd\ufffd\ufffd'],
    ['a mark of byte order', [0xef, 0xbb, 0xbf, 0x61], false, '\ufeffa'],
    ['a character that the cut went through', [0x61, 0xe2, 0x82], true, 'a'],
    ['a character that ends too early', [0x61, 0xe2, 0x82], false, 'a\ufffd'],
    ['nothing', [], false, ''],
  ] as const) {
    it(`show ${what} as text`, async () => {
      fixture.rows.push(ledgerEntry({ id: 'req_1' }));
      fixture.bodies.push(kept({ response: { bytes: Uint8Array.from(bytes), truncated } }));

      const { status, body } = await read(fixture.secrets.admin);

      assert.equal(status, 200);
      assert.equal(body.response_body, text);
    });
  }
});
