/**
 * `esclusa start` as a process of its own: what it prints is what works, a taken port is told
 * in one line, and SIGTERM ends it with exit code 0.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../../bin/esclusa.mjs', import.meta.url));

interface Announced {
  readonly url: string;
  readonly key: string;
  readonly try: string;
}

describe('esclusa start', () => {
  let folder: string;
  let child: ChildProcess;
  let announced: Announced;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'esclusa-start-'));
    const config = join(folder, 'esclusa.yaml');
    writeFileSync(config, 'drain_delay_seconds: 0\n');
    const words = ['start', '--port', '0', '--data-dir', join(folder, 'data'), '--config', config];
    child = esclusa([...words, '--json']);
    announced = await announcement(child);
  });
  after(() => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('says where it listens, and its first key works there', async () => {
    const headers = { authorization: `Bearer ${announced.key}` };
    const ready = await fetch(`${announced.url}/health/ready`);
    const models = await fetch(`${announced.url}/v1/models`, { headers });

    assert.equal(ready.status, 200);
    assert.equal(models.status, 200);
    assert.equal(announced.try.includes(announced.url), true);
    assert.equal(announced.try.includes(announced.key), true);
  });

  it('tells a port that is taken in one line', async () => {
    const port = new URL(announced.url).port;
    const second = ['start', '--port', port, '--data-dir', join(folder, 'other')];

    const { exitCode, err } = await refused(second);

    assert.equal(exitCode, 1);
    assert.equal(
      err,
      `Error: 127.0.0.1:${port} is taken. Choose another with --port, or stop what runs there.\n`,
    );
  });

  it('blames the option and not the variable that it stands for', async () => {
    const words = ['start', '--port', 'many', '--data-dir', join(folder, 'other')];

    const { exitCode, err } = await refused(words, { ESCLUSA_KEY: 'x' });

    assert.equal(exitCode, 1);
    assert.match(err, /^ {2}--port — "many" is not accepted; accepted: a whole number/m);
    assert.match(err, /^ {2}environment ESCLUSA_KEY — is not a name we know/m);
  });

  it('knows within two seconds a key that the command line makes beside it', async () => {
    const data = ['--data-dir', join(folder, 'data'), '--config', join(folder, 'esclusa.yaml')];
    const maker = esclusa(['keys', 'create', 'Beside', '--json', ...data]);
    const made = JSON.parse(await allOutput(maker)) as { readonly key: string };
    const endMs = performance.now() + 2000;
    const headers = { authorization: `Bearer ${made.key}` };

    let status = 0;
    while (status !== 200 && performance.now() < endMs) {
      const answer = await fetch(`${announced.url}/v1/models`, { headers });
      await answer.body?.cancel();
      status = answer.status;
    }

    assert.equal(status, 200);
  });

  it('logs what the configuration has that is without effect, at level warn', async () => {
    const data = join(folder, 'warned');
    const warned = esclusa(['start', '--port', '0', '--data-dir', data], { DB_POOL_SIZE: '5' });
    const line = await logLine(warned, 'DB_POOL_SIZE');
    const gone = once(warned, 'exit');
    warned.kill('SIGKILL');
    await gone;

    assert.equal(line.level, 'warn');
    assert.match(line.message, /^environment DB_POOL_SIZE database\.pool_size — has no effect/);
  });

  it('ends with exit code 0 when it is told to', async () => {
    child.kill('SIGTERM');

    const [exitCode] = await once(child, 'exit');

    assert.equal(exitCode, 0);
  });
});

function esclusa(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const { PATH } = process.env;
  const env = { ...(PATH !== undefined && { PATH }), LANG: 'C', ...variables };
  return spawn(process.execPath, [BIN, ...words], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** A start that ends by itself, with what it says of the reason. */
async function refused(
  words: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Promise<{ readonly exitCode: unknown; readonly err: string }> {
  const child = esclusa(words, variables);
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  const [exitCode] = await once(child, 'close');
  return { exitCode, err };
}

/** What is announced; log lines may stand before it and follow it. */
async function announcement(child: ChildProcess): Promise<Announced> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const found = /^\{\n[\s\S]*?\n\}$/m.exec(text);
    if (found === null) continue;
    child.stdout?.resume(); // the log must not fill the pipe
    return JSON.parse(found[0]);
  }
  throw new Error(`ended without a word: ${text}`);
}

/** The first line of the log that has `word` in it. */
async function logLine(
  child: ChildProcess,
  word: string,
): Promise<{ readonly level: string; readonly message: string }> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const found = text
      .split('\n')
      .slice(0, -1)
      .find((line) => line.includes(word));
    if (found !== undefined) return JSON.parse(found);
  }
  throw new Error(`ended without it: ${text}`);
}

async function allOutput(child: ChildProcess): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) text += String(chunk);
  return text;
}
