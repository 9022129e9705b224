/**
 * Goal: what a person or a key proves itself with is in no log and in no file (attack H1).
 * Method: the program as a process of its own at its most talkative; canaries are sent in every
 * way, then searched for in all it wrote.
 */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { call, login, PASSWORD, register } from '../support/people.ts';

it('passwords, tokens, invitations and keys are in no log line and in no file', async (t) => {
  const folder = temporaryFolder(t);
  const started = await startGatewayProcess(folder, { LOG_LEVEL: 'debug' });
  const { url, child } = started;
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  try {
    const secrets = await spend(url);
    await started.kill('SIGTERM');

    const files = await contents(folder);
    assert.match(said, /access refused/);
    for (const [name, secret] of Object.entries<string>(secrets)) {
      assert.ok(secret.length >= 10, `${name}: ${secret}`);
      assert.equal(said.includes(secret), false, `${name} is in the log`);
      assert.equal(files.includes(secret), false, `${name} is in a file`);
    }
    assert.doesNotMatch(said, /canary\d?@/i, 'an address is in the log');
  } finally {
    if (child.exitCode === null) await started.kill('SIGKILL');
  }
});

/** Uses every secret in every way; answers all of them. */
async function spend(url: string): Promise<Record<string, string>> {
  await register(url, 'canary', { password: 'Canary-Weak' });
  await register(url, 'canary');
  const wrong = await login(url, 'canary', 'Canary-Wrong-7');
  const { body: session } = await login(url, 'canary');
  const refreshed = await call(url, 'POST', '/api/v1/auth/refresh', {
    body: { refresh_token: session.refresh_token },
  });
  const token = refreshed.body.access_token;
  const broken = `${token.slice(0, -6)}AAAAAA`;
  await call(url, 'GET', '/api/v1/auth/me', { token });
  await call(url, 'GET', '/api/v1/auth/me', { token: broken });
  await call(url, 'GET', `/api/v1/auth/me?token=${token}`);
  await call(url, 'GET', '/api/v1/auth/me', {
    headers: { 'x-api-key': 'esk_canary_wrong_key_1' },
  });
  await call(url, 'POST', '/api/v1/auth/change-password', {
    token,
    body: { current_password: PASSWORD, new_password: 'Canary-Next-8' },
  });
  const invited = await call(url, 'POST', '/api/v1/users/invitations', {
    token: ADMIN_KEY,
    body: {},
  });
  await register(url, 'canary2', {
    invitation: invited.body.invitation,
    password: 'Canary-In-9',
  });
  const made = await call(url, 'POST', '/api/v1/keys', { token: ADMIN_KEY, body: { name: 'k' } });
  const rotated = await call(url, 'POST', `/api/v1/keys/${made.body.id}/rotate`, {
    token: ADMIN_KEY,
    body: {},
  });
  const metrics = await call(url, 'GET', '/metrics', { token: ADMIN_KEY });
  assert.equal(wrong.status, 401);
  assert.equal(rotated.status, 200);
  const secrets = {
    password: PASSWORD,
    weak: 'Canary-Weak',
    wrong: 'Canary-Wrong-7',
    next: 'Canary-Next-8',
    invitedPassword: 'Canary-In-9',
    access: session.access_token,
    refresh: session.refresh_token,
    refreshed: refreshed.body.refresh_token,
    token,
    broken,
    wrongKey: 'esk_canary_wrong_key_1',
    invitation: invited.body.invitation,
    key: made.body.key,
    rotated: rotated.body.key,
    adminKey: ADMIN_KEY,
  };
  for (const [name, secret] of Object.entries(secrets)) {
    assert.equal(String(metrics.body).includes(secret), false, `${name} is in the metrics`);
  }
  return secrets;
}

async function contents(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map((file) => readFile(join(file.parentPath, file.name), 'latin1'));
  return (await Promise.all(texts)).join('\n');
}
