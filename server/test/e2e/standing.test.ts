/**
 * What runs for somebody who may not call any more ends legally, within the minute, wherever it
 * runs: a revoked key, a closed user, an ended session. Method: the whole program, slow streams
 * of each dialect, and a second process on the same data.
 */
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { login, PASSWORD } from '../support/people.ts';
import { until } from '../support/until.ts';

const OPEN_STREAMS_END_MS = 60_000;
const SLOW = 'mock:tokens=2000,tps=20';
const MESSAGES = [{ role: 'user', content: 'Hola' }];

async function start(t: TestContext, folder?: string): Promise<TestGateway> {
  const gateway = await startGateway(folder === undefined ? {} : { folder });
  t.after(() => gateway.server.close('now'));
  return gateway;
}

/** Streams of the three dialects, opened and not read yet. */
async function openAll({ url }: TestGateway, secret: string): Promise<Response[]> {
  const body = { model: SLOW, max_tokens: 2000, messages: MESSAGES, stream: true };
  const gemini = { contents: [{ role: 'user', parts: [{ text: 'Hola' }] }] };
  const wanted = [
    ['/v1/chat/completions', body],
    ['/v1/messages', body],
    [`/v1beta/models/${encodeURIComponent(SLOW)}:streamGenerateContent?alt=sse`, gemini],
  ] as const;
  const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };
  return Promise.all(
    wanted.map(async ([path, sent]) => {
      const init = { method: 'POST', headers, body: JSON.stringify(sent) };
      const answer = await fetch(`${url}${path}`, init);
      assert.equal(answer.status, 200, path);
      return answer;
    }),
  );
}

/** How each dialect says in the middle of a stream that the credential is not good any more. */
const LAST_WORDS = [
  /data: \{"error":\{.*"code":"credentials_invalid".*\}\n/,
  /event: error\ndata: \{"type":"error","error":\{"type":"authentication_error"/,
  /data: \{"error":\{"code":401,/,
];

async function assertEnded(streams: readonly Response[]): Promise<void> {
  const startedMs = performance.now();
  const texts = await Promise.all(streams.map((stream) => stream.text()));
  assert.ok(performance.now() - startedMs < OPEN_STREAMS_END_MS);
  for (const [at, words] of LAST_WORDS.entries()) {
    assert.match(texts[at]?.slice(-800) ?? '', words);
  }
}

test('streams of a revoked key end in the words of their dialect, here and there', async (t) => {
  const first = await start(t);
  const second = await start(t, first.folder);
  const { id, secret } = await first.key();
  const known = () => second.chat({ model: 'mock', messages: MESSAGES }, secret);
  await until('the second process knows the key', async () => (await known()).status === 200);
  const other = await first.key();
  const open = [...(await openAll(first, secret)), ...(await openAll(second, secret))];
  const going = await first.chat(
    { model: 'mock:tokens=200,tps=20', messages: MESSAGES, stream: true },
    other.secret,
  );

  await first.api('DELETE', `/api/v1/keys/${id}`);

  await Promise.all([assertEnded(open.slice(0, 3)), assertEnded(open.slice(3))]);
  assert.match(await going.text(), /\[DONE\]/, 'the stream of another key went on');
});

test('streams of a user who is closed, and of a session that ended, end', async (t) => {
  const gateway = await start(t);
  const account = { password: PASSWORD, roles: ['student'] };
  const made = await Promise.all(
    ['ana', 'luis'].map((username) =>
      gateway.api('POST', '/api/v1/users', {
        ...{ ...account, username, email: `${username}@acme.example` },
      }),
    ),
  );
  const [ana, luis] = await Promise.all(['ana', 'luis'].map((name) => login(gateway.url, name)));
  const closed = await openAll(gateway, ana?.body.access_token as string);
  const ended = await openAll(gateway, luis?.body.access_token as string);

  await gateway.api('PATCH', `/api/v1/users/${made[0]?.body.id}`, { is_active: false });
  await gateway.api('POST', '/api/v1/auth/logout', undefined, luis?.body.access_token as string);

  await Promise.all([assertEnded(closed), assertEnded(ended)]);
});
