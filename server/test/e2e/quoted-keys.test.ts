/**
 * Goal: a vendor that quotes our key in its error gives it to nobody (attack H5): not in the
 * answer of any dialect, plain or streamed, not in the row, not in the log.
 * Method: a scripted vendor that says the key in every place an error has; the command as a
 * process of its own at its most talkative.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { stringify } from 'yaml';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { filesWith, holds } from '../support/planted.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

const KEY = 'canary-of-no-known-shape-5d11f0a2';
const STATUSES = [400, 401, 402, 403, 404, 409, 413, 422, 429, 500, 502, 503];
/** What says that the caller's own credential is at fault, and is not true. */
const OF_THE_CALLER = [401, 402, 403];

const folder = temporaryFolder({ after });
let gateway: GatewayProcess;
let upstream: ScriptedUpstream;
let written = '';

before(async () => {
  upstream = await startScriptedUpstream();
  const file = join(folder, 'esclusa.yaml');
  const names = STATUSES.map((status) => `quotes-${status}`);
  await writeFile(
    file,
    stringify({
      providers: { up: { kind: 'openai-compatible', base_url: upstream.url, api_key: KEY } },
      models: Object.fromEntries(
        names.map((model) => [model, { targets: [{ provider: 'up', model }] }]),
      ),
      resilience: { retry: { attempts: 1 }, breaker: { failure_threshold: 1000 } },
    }),
  );
  for (const status of STATUSES) {
    const message = `Incorrect API key provided: ${KEY}. Authorization: Bearer ${KEY}`;
    const error = { message, type: `t ${KEY}`, code: `c_${KEY}`, param: KEY, inner: { key: KEY } };
    upstream.script(`quotes-${status}`, {
      status,
      headers: { 'x-request-id': KEY, 'x-quoted': KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ error, [KEY]: KEY }),
    });
  }
  const env = { ESCLUSA_CONFIG: file, LOG_LEVEL: 'debug' };
  gateway = await startGatewayProcess(join(folder, 'data'), env);
  for (const stream of [gateway.child.stdout, gateway.child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      written += chunk.toString();
    });
  }
});
after(async () => {
  gateway.child.kill('SIGKILL');
  await upstream.close();
});

async function ask(path: string, body: object) {
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const heads = [...answer.headers].flat().join('\n');
  return { status: answer.status, text: `${heads}\n${await answer.text()}` };
}

const user = [{ role: 'user', content: 'Hola' }];
const WAYS: Readonly<Record<string, (model: string) => readonly [string, object]>> = {
  chat: (model) => ['/v1/chat/completions', { model, messages: user }],
  'a streamed chat': (model) => ['/v1/chat/completions', { model, messages: user, stream: true }],
  embeddings: (model) => ['/v1/embeddings', { model, input: 'Hola' }],
  messages: (model) => ['/v1/messages', { model, max_tokens: 5, messages: user }],
  responses: (model) => ['/v1/responses', { model, input: 'Hola' }],
  contents: (model) => [
    `/v1beta/models/${model}:generateContent`,
    { contents: [{ role: 'user', parts: [{ text: 'Hola' }] }] },
  ],
};

for (const [what, make] of Object.entries(WAYS)) {
  test(`H5: no error of a vendor gives our key to the client of ${what}`, async () => {
    for (const status of STATUSES) {
      const answer = await ask(...make(`quotes-${status}`));
      assert.ok(answer.status >= 400, `${status}: ${answer.status}`);
      assert.equal(holds(answer.text, KEY), false, `${status}: ${answer.text}`);
      if (OF_THE_CALLER.includes(status)) assert.equal(answer.status, 502, `${status}`);
    }
  });
}

test('H5: nor do the rows, the log and the files of the program', async () => {
  const rows = await fetch(`${gateway.url}/api/v1/requests?limit=200`, {
    headers: { authorization: `Bearer ${ADMIN_KEY}` },
  });
  const text = await rows.text();
  await gateway.kill('SIGTERM');

  assert.match(text, /quotes-500/);
  assert.equal(holds(text, KEY), false);
  assert.match(written, /upstream_/);
  assert.equal(holds(written, KEY), false);
  assert.deepEqual(filesWith(join(folder, 'data'), KEY), []);
});
