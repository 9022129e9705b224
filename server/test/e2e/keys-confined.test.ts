/**
 * Goal: a key does no more than it was given, wherever it is used, and gives no more than it has.
 * Method: the whole program over real sockets; SQLite on disk; no stand-ins.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { call } from '../support/people.ts';

const ASK = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

describe('a key', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({ config: { http: { trusted_proxies: '127.0.0.1, ::1' } } });
    await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  });
  after(() => gateway.close());

  async function key(body: object, by?: string) {
    const made = await gateway.api('POST', '/api/v1/keys', { name: 'k', ...body }, by);
    return { status: made.status, ...made.body } as {
      readonly status: number;
      readonly id: string;
      readonly key: string;
      readonly error?: { readonly code: string; readonly field: string };
    };
  }
  const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });

  it('does what its scopes name and nothing else, and cannot widen itself', async () => {
    const models = await key({ scopes: ['models.call', 'models.read'] });
    const reader = await key({ scopes: ['usage.read'] });
    const admin = await key({ role: 'admin', scopes: ['keys.write', 'keys.read', 'usage.read'] });

    const asked = await gateway.chat(ASK, models.key);
    const usage = await gateway.api('GET', '/api/v1/usage', undefined, models.key);
    const called = await gateway.chat(ASK, reader.key);
    const own = await gateway.api('GET', '/api/v1/usage', undefined, reader.key);
    const minted = await key({ scopes: ['models.call'] }, admin.key);
    const inherited = await gateway.api('POST', '/api/v1/keys', { name: 'child' }, admin.key);
    const open = await key({ scopes: null }, admin.key);
    const widened = await gateway.api(
      'PATCH',
      `/api/v1/keys/${admin.id}`,
      { scopes: null },
      admin.key,
    );
    const unknown = await key({ scopes: ['everything'] });

    assert.deepEqual([asked.status, usage.status], [200, 403]);
    assert.deepEqual([called.status, own.status], [403, 200]);
    assert.deepEqual([minted.status, minted.error?.field], [403, 'scopes']);
    assert.deepEqual(inherited.body.scopes, ['keys.write', 'keys.read', 'usage.read']);
    assert.deepEqual([open.status, widened.status], [403, 403]);
    assert.deepEqual([unknown.status, unknown.error?.field], [400, 'scopes']);
  });

  it('mints no keys where it is a plain one, or has no scope for it', async () => {
    const plain = await key({});
    const admin = await key({ role: 'admin', scopes: ['usage.read'] });

    assert.equal((await key({}, plain.key)).status, 403);
    assert.equal((await key({}, admin.key)).status, 403);
  });

  it('works from its networks only, told by the proxy that is trusted', async () => {
    const bound = await key({ addresses: ['192.0.2.0/24', '2001:db8::/32'] });
    const ask = (address: string | null) =>
      gateway.chat(ASK, bound.key, address === null ? {} : from(address));

    const inside = await ask('192.0.2.77');
    const inside6 = await ask('2001:db8:1::5');
    const mapped = await ask('::ffff:192.0.2.9');
    const outside = await ask('198.51.100.7');
    const outside6 = await ask('2001:db9::1');
    const claimed = await ask('192.0.2.77, 198.51.100.7');
    const direct = await ask(null);
    const control = await call(gateway.url, 'GET', '/api/v1/models', {
      token: bound.key,
      ...from('198.51.100.7'),
    });

    assert.deepEqual([inside.status, inside6.status, mapped.status], [200, 200, 200]);
    const refused = [outside, outside6, claimed, direct, control].map(({ status }) => status);
    assert.deepEqual(refused, [403, 403, 403, 403, 403]);
    assert.equal(control.body.error.code, 'address_not_allowed');
  });

  it('bound to networks gives only keys that are bound as tightly', async () => {
    const admin = await key({ role: 'admin', addresses: ['192.0.2.0/24'] });
    const mint = async (body: object) => {
      const options = { token: admin.key, body: { name: 'x', ...body }, ...from('192.0.2.1') };
      return call(gateway.url, 'POST', '/api/v1/keys', options);
    };

    const tighter = await mint({ addresses: ['192.0.2.128/25'] });
    const wider = await mint({ addresses: ['192.0.0.0/16'] });
    const open = await mint({ addresses: null });
    const inherited = await mint({});
    const broken = await mint({ addresses: ['192.0.2.0/33'] });

    assert.equal(tighter.status, 201);
    assert.deepEqual([wider.status, open.status], [403, 403]);
    assert.deepEqual(inherited.body.addresses, ['192.0.2.0/24']);
    assert.equal(broken.status, 400);
  });

  it('is rotated with an overlap, and keeps its identifier and what it spent', async () => {
    const old = await key({ limits: { requests_per_minute: 3 } });
    await gateway.chat(ASK, old.key);
    const rotate = (overlap_seconds: number) =>
      gateway.api('POST', `/api/v1/keys/${old.id}/rotate`, { overlap_seconds });

    const first = await rotate(600);
    const both = [await gateway.chat(ASK, old.key), await gateway.chat(ASK, first.body.key)];
    const spent = await gateway.chat(ASK, first.body.key);
    const second = await rotate(0);
    const after = await Promise.all(
      [old.key, first.body.key, second.body.key].map((secret) =>
        gateway.api('GET', '/api/v1/models', undefined, secret),
      ),
    );

    assert.equal(first.body.id, old.id);
    assert.deepEqual(
      both.map(({ status }) => status),
      [200, 200],
    );
    assert.equal(spent.status, 429);
    assert.deepEqual(
      after.map(({ status }) => status),
      [401, 401, 200],
    );
  });
});
