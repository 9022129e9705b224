/**
 * Rows and sums of the ledger over HTTP: who sees which rows, that cursors cannot be made or
 * moved, and the shapes scripts rely on.
 */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import { requestListSchema, requestRowSchema, usageReportSchema } from '@esclusa/contracts';
import fc from 'fast-check';
import { createCursors } from '../../../src/http/admin/cursor.ts';
import { type AdminFixture, createAdminFixture, ledgerEntry } from './fixture.ts';

let fixture: AdminFixture;
before(async () => {
  fixture = await createAdminFixture();
});
after(() => fixture.app.close());
beforeEach(() => {
  fixture.rows.length = 0;
  fixture.filters.length = 0;
});

describe('GET /api/v1/requests/{id}', () => {
  it('shows the row in the promised shape', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1' }));

    const answer = await fixture.call(fixture.secrets.admin, '/api/v1/requests/req_1');

    assert.deepEqual(requestRowSchema.parse(answer.json()), {
      id: 'req_1',
      created_at: '2026-11-20T09:00:00.000Z',
      tenant: 'acme',
      key_id: 'key_1',
      correlation_id: 'c',
      dialect: 'openai',
      operation: 'chat',
      model: 'fast',
      provider: 'openai',
      provider_model: 'gpt-4o-mini',
      stream: false,
      status: 200,
      outcome: 'completed',
      error_code: null,
      cache: 'MISS',
      attempts: 1,
      usage: {
        input_tokens: 12,
        cached_input_tokens: 2,
        cache_write_tokens: 0,
        output_tokens: 5,
        reasoning_tokens: 1,
        source: 'provider',
      },
      cost_nanousd: 4650,
      price_id: 'price_1',
      duration_ms: 321.5,
      first_token_ms: 120,
      config_generation: 1,
      arm: null,
      prompt: null,
    });
  });

  it('tells an unpriced row from one that cost nothing', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_1', costNanousd: null, priceId: null }));

    const answer = await fixture.call(fixture.secrets.admin, '/api/v1/requests/req_1');

    assert.equal(answer.json().cost_nanousd, null);
  });

  it('answers for a foreign row exactly as for a missing one', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_g', tenant: 'globex' }));
    fixture.rows.push(ledgerEntry({ id: 'req_a', keyId: 'key_other' }));
    const bodies = async (secret: string, id: string) => {
      const answer = await fixture.call(secret, `/api/v1/requests/${id}`);
      return `${answer.statusCode} ${answer.body.replace(/"request_id":"[^"]+"/, '')}`;
    };

    const missing = await bodies(fixture.secrets.admin, 'req_0');
    assert.match(missing, /^404/);
    assert.equal(await bodies(fixture.secrets.admin, 'req_g'), missing);
    assert.equal(await bodies(fixture.secrets.service, 'req_a'), missing);
    assert.match(await bodies(fixture.secrets.superadmin, 'req_g'), /^200/);
  });

  it('shows a plain key its own row', async () => {
    fixture.rows.push(ledgerEntry({ id: 'req_s', keyId: fixture.serviceKeyId }));

    const answer = await fixture.call(fixture.secrets.service, '/api/v1/requests/req_s');

    assert.equal(answer.statusCode, 200);
  });
});

describe('GET /api/v1/requests', () => {
  it('is walked newest first, page by page', async () => {
    for (let at = 10; at < 17; at += 1) fixture.rows.push(ledgerEntry({ id: `req_${at}` }));

    const first = await fixture.call(fixture.secrets.admin, '/api/v1/requests?limit=4');
    const next = requestListSchema.parse(first.json()).next;
    const second = await fixture.call(
      fixture.secrets.admin,
      `/api/v1/requests?limit=4&cursor=${next}`,
    );

    const ids = [first, second].flatMap((page) =>
      page.json().data.map((row: { id: string }) => row.id),
    );
    assert.deepEqual(ids, ['req_16', 'req_15', 'req_14', 'req_13', 'req_12', 'req_11', 'req_10']);
    assert.equal(second.json().next, null);
  });

  it('passes every filter on', async () => {
    const query =
      'model=fast&provider=openai&key_id=key_7&outcome=failed' +
      '&since=2026-11-19&until=2026-11-20T00:00:00Z&tenant=globex';

    await fixture.call(fixture.secrets.superadmin, `/api/v1/requests?${query}`);

    assert.deepEqual(fixture.filters, [
      {
        tenant: 'globex',
        keyId: 'key_7',
        model: 'fast',
        provider: 'openai',
        outcome: 'failed',
        sinceMs: Date.UTC(2026, 10, 19),
        untilMs: Date.UTC(2026, 10, 20),
      },
    ]);
  });

  it('confines an admin to its tenant and a plain key to itself', async () => {
    await fixture.call(fixture.secrets.admin, '/api/v1/requests');
    await fixture.call(fixture.secrets.service, '/api/v1/requests');
    await fixture.call(fixture.secrets.superadmin, '/api/v1/requests');

    assert.deepEqual(fixture.filters, [
      { tenant: 'acme' },
      { tenant: 'acme', keyId: fixture.serviceKeyId },
      { tenant: null },
    ]);
  });

  for (const [who, query, field] of [
    ['admin', 'tenant=globex', 'tenant'],
    ['service', 'tenant=globex', 'tenant'],
    ['service', 'key_id=key_other', 'key_id'],
  ] as const) {
    it(`refuses ${who} ${query} before anything is read`, async () => {
      const answer = await fixture.call(fixture.secrets[who], `/api/v1/requests?${query}`);

      assert.equal(answer.statusCode, 403);
      assert.equal(answer.json().error.field, field);
      assert.deepEqual(fixture.filters, []);
    });
  }

  it('answers who asks for more rows than a page may have with as many as it may', async () => {
    const { rows } = fixture;
    const before = rows.length;
    for (let at = 0; at < 250; at += 1) rows.push(ledgerEntry({ id: `req_many_${at}` }));

    const answer = await fixture.call(fixture.secrets.admin, '/api/v1/requests?limit=100000');
    rows.splice(before);

    assert.equal(answer.statusCode, 200);
    assert.equal(answer.json().data.length, 200);
    assert.equal(typeof answer.json().next, 'string');
  });

  for (const [query, field] of [
    ['limit=0', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=1e400', 'limit'],
    ['limit=many', 'limit'],
    ['limit=5&limit=6', 'limit'],
    ['since=yesterday', 'since'],
    ['since=2026-11-20&until=2026-11-20', 'since'],
    ['outcome=maybe', 'outcome'],
    ['sort=cost', 'sort'],
    ['model=%00', 'model'],
    ['key_id=%25%27', 'key_id'],
    ['__proto__[x]=1', '__proto__[x]'],
  ] as const) {
    it(`refuses ?${query} and names ${field}`, async () => {
      const answer = await fixture.call(fixture.secrets.admin, `/api/v1/requests?${query}`);

      assert.equal(answer.statusCode, 400, answer.body);
      assert.equal(answer.json().error.field, field);
    });
  }
});

describe('a cursor', () => {
  const cursors = createCursors(Buffer.alloc(32, 3));
  const scope = ['requests', 'acme'];

  it('gives back the position it was made of', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (position) => {
        assert.equal(cursors.read(scope, cursors.sign(scope, position)), position);
      }),
    );
  });

  it('is refused with any one character changed', () => {
    const cursor = cursors.sign(scope, 'req_01JD');
    for (let at = 0; at < cursor.length; at += 1) {
      const other = cursor[at] === 'A' ? 'B' : 'A';
      const changed = cursor.slice(0, at) + other + cursor.slice(at + 1);
      assert.throws(() => cursors.read(scope, changed), { code: 'cursor_invalid' }, changed);
    }
  });

  it('is refused cut short, with something added, and where it is nothing of ours', () => {
    const cursor = cursors.sign(scope, 'req_01JD');
    for (const text of [
      cursor.slice(0, -1),
      `${cursor}A`,
      `${cursor}=`,
      `${cursor}\n`,
      'x',
      'cmVxXzE',
    ]) {
      assert.throws(() => cursors.read(scope, text), { code: 'cursor_invalid' }, text);
    }
  });

  it('is refused in another list, of another tenant, and under another key', () => {
    const cursor = cursors.sign(scope, 'req_01JD');
    const others = createCursors(Buffer.alloc(32, 4));

    assert.throws(() => cursors.read(['keys', 'acme'], cursor), { code: 'cursor_invalid' });
    assert.throws(() => cursors.read(['requests', 'globex'], cursor), { code: 'cursor_invalid' });
    assert.throws(() => cursors.read(['requests', null], cursor), { code: 'cursor_invalid' });
    assert.throws(() => others.read(scope, cursor), { code: 'cursor_invalid' });
  });

  it('answers 400 cursor_invalid over HTTP, also where it is another tenant’s', async () => {
    for (let at = 10; at < 13; at += 1) fixture.rows.push(ledgerEntry({ id: `req_${at}` }));
    const page = await fixture.call(fixture.secrets.superadmin, '/api/v1/requests?limit=1');
    const { next } = page.json();

    for (const cursor of ['abc', `${next}x`, next]) {
      const url = `/api/v1/requests?limit=1&cursor=${cursor}`;
      const answer = await fixture.call(fixture.secrets.admin, url);
      assert.equal(answer.statusCode, 400);
      assert.equal(answer.json().error.code, 'cursor_invalid');
      assert.equal(answer.json().error.field, 'cursor');
    }
  });
});

describe('GET /api/v1/usage', () => {
  it('sums by the dimensions asked for, exact to the nano-dollar', async () => {
    const url = '/api/v1/usage?by=model,provider,day&since=2026-11-01';
    const answer = await fixture.call(fixture.secrets.admin, url);

    const report = usageReportSchema.parse(answer.json());
    assert.deepEqual(report.by, ['model', 'provider', 'day']);
    assert.equal(report.since, '2026-11-01T00:00:00.000Z');
    assert.equal(report.until, null);
    assert.deepEqual(report.data[0]?.group, { model: 'a model', provider: null, day: 'a day' });
    assert.equal(report.data[0]?.cost_nanousd, 1_500_000_001);
    assert.equal(report.data[0]?.cost_usd, '1.500000001');
  });

  for (const by of ['', 'cost', 'model,model', 'model;drop', '__proto__']) {
    it(`refuses to sum by ${JSON.stringify(by)}`, async () => {
      const url = `/api/v1/usage?by=${encodeURIComponent(by)}`;
      const answer = await fixture.call(fixture.secrets.admin, url);

      assert.equal(answer.statusCode, 400);
      assert.match(answer.json().error.field, /^by/);
    });
  }
});
