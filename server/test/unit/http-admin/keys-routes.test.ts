/**
 * Keys and tenants over HTTP: shapes taken and given, what is refused with which field, and
 * that another tenant's key answers exactly like a missing one.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { keyCreatedSchema, keyListSchema, keySchema, tenantSchema } from '@esclusa/contracts';
import { type AdminFixture, createAdminFixture } from './fixture.ts';

let fixture: AdminFixture;
before(async () => {
  fixture = await createAdminFixture();
});
after(() => fixture.app.close());

function create(payload: unknown, secret = fixture.secrets.superadmin) {
  const headers = { 'content-type': 'application/json' };
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload);
  return fixture.call(secret, { method: 'POST', url: '/api/v1/keys', headers, payload: body });
}

describe('POST /api/v1/keys', () => {
  it('answers 201 with the key and its secret', async () => {
    const answer = await create({
      name: '  Tutor  ',
      tenant: 'acme',
      models: ['fast', 'openai/gpt-4o'],
      limits: { requests_per_minute: 60 },
      budget: { limit_usd: '1.50', period: 'day' },
      expires_at: '2027-01-01T00:00:00+01:00',
    });

    const key = keyCreatedSchema.parse(answer.json());
    assert.equal(answer.statusCode, 201);
    assert.equal(answer.headers.location, `/api/v1/keys/${key.id}`);
    assert.deepEqual(
      { ...key, id: '', key: '', hint: '' },
      {
        id: '',
        key: '',
        hint: '',
        tenant: 'acme',
        name: 'Tutor',
        role: 'service',
        status: 'active',
        scopes: null,
        addresses: null,
        models: ['fast', 'openai/gpt-4o'],
        limits: { requests_per_minute: 60 },
        budget: { limit_usd: '1.5', period: 'day' },
        cache: 'default',
        created_at: '2026-11-20T09:00:00.000Z',
        expires_at: '2026-12-31T23:00:00.000Z',
        revoked_at: null,
      },
    );
  });

  const tooMany = Array.from({ length: 201 }, (_, at) => `m${at}`);
  const refusals: readonly [string, unknown, string | undefined][] = [
    ['no name', {}, 'name'],
    ['an empty name', { name: '  ' }, 'name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, 'name'],
    ['a line break in the name', { name: 'a\r\nb' }, 'name'],
    ['a NUL in the name', { name: 'a\u0000' }, 'name'],
    ['a name that turns the writing around', { name: 'a\u202eb' }, 'name'],
    ['a name that is no text', { name: 5 }, 'name'],
    ['a misspelt field', { name: 'x', limit: {} }, 'limit'],
    ['a field of the record', { name: 'x', id: 'key_mine' }, 'id'],
    ['an unknown role', { name: 'x', role: 'superadmin' }, 'role'],
    ['201 models', { name: 'x', models: tooMany }, 'models'],
    ['no models at all', { name: 'x', models: [] }, 'models'],
    ['a model that is no text', { name: 'x', models: ['a', 1] }, 'models.1'],
    ['a wildcard among the models', { name: 'x', models: ['openai/*'] }, 'models.0'],
    ['a limit of zero', { name: 'x', limits: { concurrency: 0 } }, 'limits.concurrency'],
    [
      'half a request',
      { name: 'x', limits: { requests_per_minute: 1.5 } },
      'limits.requests_per_minute',
    ],
    [
      'a limit below zero',
      { name: 'x', limits: { tokens_per_minute: -1 } },
      'limits.tokens_per_minute',
    ],
    ['a limit as text', { name: 'x', limits: { concurrency: '1' } }, 'limits.concurrency'],
    ['an unknown limit', { name: 'x', limits: { rpm: 1 } }, 'limits.rpm'],
    [
      'a budget of nothing',
      { name: 'x', budget: { limit_usd: '0.00', period: 'day' } },
      'budget.limit_usd',
    ],
    [
      'a budget below zero',
      { name: 'x', budget: { limit_usd: '-1', period: 'day' } },
      'budget.limit_usd',
    ],
    [
      'a budget as number',
      { name: 'x', budget: { limit_usd: 1.5, period: 'day' } },
      'budget.limit_usd',
    ],
    [
      'a budget in exponents',
      { name: 'x', budget: { limit_usd: '1e3', period: 'day' } },
      'budget.limit_usd',
    ],
    [
      'a budget finer than a nano-dollar',
      { name: 'x', budget: { limit_usd: '0.0000000001', period: 'day' } },
      'budget.limit_usd',
    ],
    [
      'a budget per week',
      { name: 'x', budget: { limit_usd: '1', period: 'week' } },
      'budget.period',
    ],
    ['an end in the past', { name: 'x', expires_at: '2026-11-20T08:59:59Z' }, 'expires_at'],
    ['an end without a zone', { name: 'x', expires_at: '2027-01-01T00:00:00' }, 'expires_at'],
    ['an end that is no date', { name: 'x', expires_at: '2027-02-30T00:00:00Z' }, 'expires_at'],
    ['a tenant that is no slug', { name: 'x', tenant: '../acme' }, 'tenant'],
    ['a tenant that is missing', { name: 'x', tenant: 'nowhere' }, 'tenant'],
    ['an array', [], undefined],
    ['a number', 5, undefined],
  ];
  for (const [what, payload, field] of refusals) {
    it(`refuses ${what}${field === undefined ? '' : ` and names ${field}`}`, async () => {
      const answer = await create(payload);

      assert.equal(answer.statusCode, 400, answer.body);
      assert.equal(answer.json().error.code, 'invalid_request');
      assert.equal(answer.json().error.field, field);
    });
  }

  for (const payload of [
    '{"name":"x","__proto__":{"role":"admin"}}',
    '{"name":"x","constructor":{"prototype":{"role":"admin"}}}',
  ]) {
    it(`refuses ${payload} and pollutes nothing`, async () => {
      const answer = await create(payload);

      assert.equal(answer.statusCode, 400);
      assert.equal(({} as { role?: string }).role, undefined);
    });
  }

  it('refuses an admin who names another tenant with 403, whether it exists or not', async () => {
    const existing = await create({ name: 'x', tenant: 'globex' }, fixture.secrets.admin);
    const missing = await create({ name: 'x', tenant: 'nowhere' }, fixture.secrets.admin);

    assert.equal(existing.statusCode, 403);
    assert.equal(withoutRequestId(existing.body), withoutRequestId(missing.body));
  });
});

describe('a key over HTTP', () => {
  it('is read, changed and revoked without its secret or hash ever being shown', async () => {
    const made = keyCreatedSchema.parse((await create({ name: 'x', tenant: 'acme' })).json());
    const url = `/api/v1/keys/${made.id}`;
    const secret = fixture.secrets.admin;

    const read = await fixture.call(secret, url);
    const payload = { name: 'y', limits: { concurrency: 2 }, models: ['fast'] };
    const changed = await fixture.call(secret, { method: 'PATCH', url, payload });
    const revoked = await fixture.call(secret, { method: 'DELETE', url });

    const { key: _secret, ...shownKey } = made;
    assert.deepEqual(keySchema.strict().parse(read.json()), shownKey);
    assert.deepEqual(changed.json().limits, { concurrency: 2 });
    assert.equal(changed.json().name, 'y');
    assert.equal(revoked.statusCode, 200);
    assert.equal(revoked.json().status, 'revoked');
    const shown = read.body + changed.body + revoked.body;
    assert.equal(shown.includes(made.key), false);
    assert.equal(shown.includes('secretHash'), false);
  });

  it('of another tenant answers every method exactly like a missing one', async () => {
    const foreign = (await create({ name: 'x', tenant: 'globex' })).json();
    for (const method of ['GET', 'PATCH', 'DELETE'] as const) {
      const options = { method, payload: method === 'PATCH' ? { name: 'z' } : undefined };
      const secret = fixture.secrets.admin;
      const onForeign = await fixture.call(secret, {
        method,
        url: `/api/v1/keys/${foreign.id}`,
        ...(options.payload && { payload: options.payload }),
      });
      const onMissing = await fixture.call(secret, {
        method,
        url: '/api/v1/keys/key_00000000000000000000000000',
        ...(options.payload && { payload: options.payload }),
      });

      assert.equal(onForeign.statusCode, 404);
      assert.equal(withoutRequestId(onForeign.body), withoutRequestId(onMissing.body));
    }
    const after = await fixture.call(fixture.secrets.superadmin, `/api/v1/keys/${foreign.id}`);
    assert.equal(after.json().name, 'x');
    assert.equal(after.json().status, 'active');
  });

  for (const id of [
    '%00',
    "'%20OR%201=1--",
    '%25',
    '_',
    'x'.repeat(8192),
    '..%2F..%2Fetc',
    '%0d%0aset-cookie',
  ]) {
    it(`is not found under the id ${id.slice(0, 20)}`, async () => {
      const answer = await fixture.call(fixture.secrets.superadmin, `/api/v1/keys/${id}`);

      assert.equal(answer.statusCode, 404);
      assert.equal(answer.json().error.code, 'not_found');
    });
  }

  it('is refused a change that says nothing', async () => {
    const made = (await create({ name: 'x' })).json();

    const answer = await fixture.call(fixture.secrets.superadmin, {
      method: 'PATCH',
      url: `/api/v1/keys/${made.id}`,
      payload: {},
    });

    assert.equal(answer.statusCode, 400);
  });
});

describe('the list of keys', () => {
  it('is walked page by page without a gap or a repetition', async () => {
    const { secrets, call } = fixture;
    for (let at = 0; at < 5; at += 1) await create({ name: `page ${at}`, tenant: 'acme' });
    const all = keyListSchema.parse((await call(secrets.admin, '/api/v1/keys?limit=200')).json());

    const walked: string[] = [];
    let url = '/api/v1/keys?limit=2';
    for (let pages = 0; pages < 50; pages += 1) {
      const page = keyListSchema.parse((await call(secrets.admin, url)).json());
      walked.push(...page.data.map((key) => key.id));
      if (page.next === null) break;
      url = `/api/v1/keys?limit=2&cursor=${page.next}`;
    }

    assert.equal(all.data.length > 5, true);
    assert.deepEqual(
      walked,
      all.data.map((key) => key.id),
    );
    assert.deepEqual(walked, walked.toSorted().reverse());
  });
});

describe('/api/v1/tenants', () => {
  const url = '/api/v1/tenants';

  it('makes a tenant once and says which slug is taken', async () => {
    const payload = { slug: 'valle-claro', name: 'Universidad del Valle Claro' };
    const made = await fixture.call(fixture.secrets.superadmin, { method: 'POST', url, payload });
    const again = await fixture.call(fixture.secrets.superadmin, { method: 'POST', url, payload });

    assert.equal(made.statusCode, 201);
    assert.equal(tenantSchema.parse(made.json()).slug, 'valle-claro');
    assert.equal(again.statusCode, 409);
    assert.equal(again.json().error.code, 'conflict');
    assert.equal(again.json().error.field, 'slug');
  });

  for (const slug of ['', '-a', 'a-', 'A', 'a_b', 'a b', 'ñ', 'a'.repeat(64), 'a\n']) {
    it(`refuses the slug ${JSON.stringify(slug)}`, async () => {
      const answer = await fixture.call(fixture.secrets.superadmin, {
        method: 'POST',
        url,
        payload: { slug, name: 'x' },
      });

      assert.equal(answer.statusCode, 400);
      assert.equal(answer.json().error.field, 'slug');
    });
  }

  it('takes slugs of 1 and of 63 characters', async () => {
    for (const slug of ['z', 'a'.repeat(63)]) {
      const payload = { slug, name: 'x' };
      const answer = await fixture.call(fixture.secrets.superadmin, {
        method: 'POST',
        url,
        payload,
      });
      assert.equal(answer.statusCode, 201);
    }
  });

  it('lists in the order of slugs, page by page', async () => {
    const first = await fixture.call(fixture.secrets.superadmin, `${url}?limit=2`);
    const second = await fixture.call(
      fixture.secrets.superadmin,
      `${url}?limit=200&cursor=${first.json().next}`,
    );

    const slugs = [...first.json().data, ...second.json().data].map(({ slug }) => slug);
    assert.deepEqual(slugs, slugs.toSorted());
    assert.equal(slugs.includes('default'), true);
    assert.equal(second.json().next, null);
  });
});

function withoutRequestId(body: string): string {
  return body.replace(/"request_id":"[^"]+"/, '');
}
