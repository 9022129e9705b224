/**
 * A secret that is empty or missing never verifies anything: it counts as not set, and what is
 * signed with nothing is nobody's. Method: the whole program with every secret set to
 * nothing (attack B9).
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';

const EMPTY = ['JWT_SECRET_KEY', 'JWT_PREVIOUS_SECRET_KEY', 'ESCLUSA_MASTER_SECRET'];
const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

async function start(t: { after(hook: () => unknown): void }, env: Record<string, string>) {
  const gateway = await startGateway({ env });
  t.after(() => gateway.server.close('now'));
  return gateway;
}

/** A token of the program with its signature replaced. */
function forged(token: string, header: object, key: string | null): string {
  const [, payload = ''] = token.split('.');
  const said = `${encoded(header)}.${payload}`;
  const signature = key === null ? '' : createHmac('sha256', key).update(said).digest('base64url');
  return `${said}.${signature}`;
}

const statusOf = async ({ api }: TestGateway, token: string) =>
  (await api('GET', '/api/v1/auth/me', undefined, token)).status;

test('tokens signed with an empty secret, or with none, are nobody’s', async (t) => {
  const gateway = await start(t, Object.fromEntries(EMPTY.map((name) => [name, ''])));
  await gateway.api('POST', '/api/v1/users', {
    ...{ username: 'ana', email: 'ana@acme.example', password: PASSWORD, roles: ['student'] },
  });
  const token = (await login(gateway.url, 'ana')).body.access_token as string;
  const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
  assert.equal(await statusOf(gateway, token), 200);

  for (const key of ['', ' ', 'undefined', 'null', 'secret']) {
    assert.equal(await statusOf(gateway, forged(token, header, key)), 401, `key ${key}`);
    const { kid: _kid, ...unnamed } = header;
    assert.equal(await statusOf(gateway, forged(token, unnamed, key)), 401, `key ${key}, no id`);
  }
  for (const alg of ['none', 'None', 'NONE', '']) {
    assert.equal(await statusOf(gateway, forged(token, { ...header, alg }, null)), 401, alg);
  }
});

test('an empty key of the environment lets nobody in', async (t) => {
  const gateway = await start(t, { ESCLUSA_ADMIN_KEY: '' });
  for (const authorization of ['Bearer ', 'Bearer', 'Bearer undefined', 'Bearer null', '']) {
    const answer = await fetch(`${gateway.url}/api/v1/keys`, { headers: { authorization } });
    assert.equal(answer.status, 401, authorization);
  }
});
