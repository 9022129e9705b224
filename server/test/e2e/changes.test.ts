/**
 * Goal: what an operator changes takes effect where it should and when it should: keys within
 * two seconds, also when another process changed them; the configuration as a whole or not at
 * all. Method: the whole program; the command line as a second process on the same data.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';

const COMMAND = fileURLToPath(new URL('../../../bin/esclusa.mjs', import.meta.url));
const EVERYWHERE_MS = 2000;
const BODY = { model: 'mock', messages: [{ role: 'user', content: 'hola' }] };

let gateway: TestGateway;

before(async () => {
  gateway = await startGateway({ config: { models: {} } });
});

after(() => gateway.close());

async function esclusa(...args: readonly string[]): Promise<unknown> {
  const dataDir = join(gateway.folder, 'data');
  const all = [COMMAND, ...args, '--json', '--data-dir', dataDir];
  const { stdout } = await promisify(execFile)(process.execPath, all);
  return JSON.parse(stdout);
}

async function statusOf(secret: string, body: unknown = BODY): Promise<number> {
  const answer = await gateway.chat(body, secret);
  await answer.arrayBuffer();
  return answer.status;
}

test('a key made here works at once, and is refused at once when it is revoked', async () => {
  const key = await gateway.key();
  assert.equal(await statusOf(key.secret), 200);

  const revoked = await gateway.api('DELETE', `/api/v1/keys/${key.id}`);

  assert.equal(revoked.status < 300, true);
  assert.equal(await statusOf(key.secret), 401);
});

test('a key made and revoked by another process follows within two seconds', async () => {
  const made = (await esclusa('keys', 'create', 'from-outside')) as { id: string; key: string };
  await until('it works', async () => (await statusOf(made.key)) === 200, EVERYWHERE_MS);

  await esclusa('keys', 'revoke', made.id, '--yes');

  // Who asked too often before it was known is told to wait.
  const isRefused = async () => [401, 429].includes(await statusOf(made.key));
  await until('it is refused', isRefused, EVERYWHERE_MS);
});

test('changed models, limits and expiry of a key hold at the next request', async () => {
  const key = await gateway.key({ models: ['mock'] });
  assert.equal(await statusOf(key.secret), 200);

  await gateway.api('PATCH', `/api/v1/keys/${key.id}`, { models: ['mock/mock'] });
  assert.equal(await statusOf(key.secret), 403);
  assert.equal(await statusOf(key.secret, { ...BODY, model: 'mock/mock' }), 200);

  await gateway.api('PATCH', `/api/v1/keys/${key.id}`, { limits: { requests_per_minute: 1 } });
  assert.deepEqual(
    [
      await statusOf(key.secret, { ...BODY, model: 'mock/mock' }),
      await statusOf(key.secret, { ...BODY, model: 'mock/mock' }),
    ].includes(429),
    true,
  );
});

test('an expired key is told so', async () => {
  const soon = new Date(Date.now() + 300).toISOString();
  const key = await gateway.key({ expires_at: soon });
  assert.equal(await statusOf(key.secret), 200);

  const refused = await until('it expired', async () => {
    const answer = await gateway.chat(BODY, key.secret);
    const body = (await answer.json()) as { error?: { code: string } };
    return answer.status === 401 ? body : null;
  });

  assert.equal(refused.error?.code, 'credentials_expired');
});

test('no secret of a key is ever shown again, nor stored', async () => {
  const key = await gateway.key({ name: 'shown-once' });

  const list = await gateway.api('GET', '/api/v1/keys');
  const one = await gateway.api('GET', `/api/v1/keys/${key.id}`);

  const shown = JSON.stringify([list.body, one.body]);
  assert.ok(shown.includes('shown-once'));
  assert.ok(!shown.includes(key.secret));
});

test('a changed file is applied whole, with a new generation on every answer', async () => {
  const before = await gateway.chat(BODY);
  await before.arrayBuffer();
  const generation = Number(before.headers.get('x-esclusa-config'));

  const models = { nuevo: { targets: [{ provider: 'mock', model: 'mock' }] } };
  await writeFile(join(gateway.folder, 'esclusa.yaml'), JSON.stringify({ models }));
  await until('the new alias answers', async () => {
    return (await statusOf(ADMIN_KEY, { ...BODY, model: 'nuevo' })) === 200;
  });

  const answer = await gateway.chat({ ...BODY, model: 'nuevo' });
  await answer.arrayBuffer();
  assert.equal(Number(answer.headers.get('x-esclusa-config')), generation + 1);
});

test('a bad file keeps the generation in force and is named in full', async () => {
  const before = (await gateway.api('GET', '/api/v1/config')).body.generation;
  const file = join(gateway.folder, 'esclusa.yaml');
  await writeFile(file, 'models:\n  broken:\n    targets: [{ provider: nobody, model: x }]\n');

  const { body } = await gateway.api('POST', '/api/v1/config/reload');

  assert.equal(body.outcome, 'rejected');
  assert.equal(body.generation, before);
  assert.match(
    body.problems.join('\n'),
    /esclusa\.yaml:3:\d+ models\.broken\.targets\[0\]\.provider/,
  );
  assert.equal(await statusOf(ADMIN_KEY), 200);
});

test('tenants do not see each other: keys, requests and usage', async () => {
  await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
  await gateway.api('POST', '/api/v1/tenants', { slug: 'innova', name: 'Innova' });
  const acme = await gateway.key({ tenant: 'acme', role: 'admin' });
  const innova = await gateway.key({ tenant: 'innova', role: 'admin' });
  const answer = await gateway.chat(BODY, acme.secret);
  await answer.arrayBuffer();
  const id = answer.headers.get('x-request-id');

  const own = await gateway.api('GET', `/api/v1/requests/${id}`, undefined, acme.secret);
  const foreign = await gateway.api('GET', `/api/v1/requests/${id}`, undefined, innova.secret);
  const missing = await gateway.api(
    'GET',
    '/api/v1/requests/req_00000000000000000000000000',
    undefined,
    innova.secret,
  );
  const list = await gateway.api('GET', '/api/v1/requests', undefined, innova.secret);
  const usage = await gateway.api('GET', '/api/v1/usage?by=tenant', undefined, innova.secret);

  assert.equal(own.status, 200);
  assert.equal(own.body.tenant, 'acme');
  assert.equal(foreign.status, 404);
  assert.equal(foreign.body.error.code, missing.body.error.code);
  assert.deepEqual(list.body.data, []);
  assert.deepEqual(usage.body.data, []);
});

test('one tenant’s stored answer is never another’s', async () => {
  const acme = await gateway.key({ tenant: 'acme' });
  const innova = await gateway.key({ tenant: 'innova' });
  const body = { ...BODY, temperature: 0 };
  const cacheOf = async (secret: string): Promise<string | null> => {
    const answer = await gateway.chat(body, secret);
    await answer.arrayBuffer();
    return answer.headers.get('x-cache');
  };

  const seen = [
    await cacheOf(acme.secret),
    await cacheOf(acme.secret),
    await cacheOf(innova.secret),
  ];

  assert.deepEqual(seen, ['MISS', 'HIT', 'MISS']);
});
