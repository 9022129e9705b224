/**
 * Goal: a stopping process takes its leave from balancers and clients, and keeps nobody waiting
 * at a terminal. Method: the command as a process of its own, with real signals and sockets.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { sendRaw } from '../support/raw-http.ts';
import { until } from '../support/until.ts';

let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-stop-'));
});
after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));

const QUESTION = JSON.stringify({
  ...{ model: 'mock:tokens=30,tps=20', stream: true },
  messages: [{ role: 'user', content: 'hi' }],
});

function streamed(gateway: GatewayProcess): Promise<Response> {
  return fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: QUESTION,
  });
}

async function stopped(gateway: GatewayProcess, signal: NodeJS.Signals): Promise<number> {
  const beganMs = performance.now();
  await gateway.kill(signal);
  return performance.now() - beganMs;
}

test('an idle server that is interrupted at a terminal stops at once', async () => {
  const gateway = await startGatewayProcess(folder);

  const tookMs = await stopped(gateway, 'SIGINT');

  assert.ok(tookMs < 3500, `${Math.round(tookMs)} ms, less than the drain delay of 5 s`);
  assert.equal(gateway.child.exitCode, 0);
});

test('an interrupted server lets a running stream end', async () => {
  const gateway = await startGatewayProcess(folder);
  const answer = await streamed(gateway);

  const gone = stopped(gateway, 'SIGINT');
  const text = await answer.text();

  assert.match(text, /data: \[DONE\]\s*$/);
  await gone;
});

test('a terminated server is not ready at once, still answers, and ends connections', async () => {
  const gateway = await startGatewayProcess(folder);
  const { hostname, port } = new URL(gateway.url);
  const ask = (path: string) => sendRaw(gateway.url, [`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`]);
  const serving = await ask('/health/live');

  const gone = stopped(gateway, 'SIGTERM');
  const refused = await until('it is not ready', async () => {
    const answer = await ask('/health/ready');
    return answer.status === 503 ? answer : null;
  });
  const during = await ask('/health/live');
  const tookMs = await gone;

  assert.match(serving.head, /^connection: keep-alive\r?$/im);
  assert.equal(refused.status, 503);
  assert.equal(during.status, 200);
  assert.match(during.head, /^connection: close\r?$/im);
  assert.ok(tookMs >= 4900, `${Math.round(tookMs)} ms, the drain delay of 5 s`);
  assert.equal(await canConnect(Number(port), hostname), false);
});

function canConnect(port: number, host: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect(port, host, () => {
    socket.destroy();
    resolve(true);
  });
  socket.on('error', () => resolve(false));
  return promise;
}
