/**
 * Verbs about the installation: doctor, configuration, models, migrations, secrets. The folder,
 * the files, the port and the provider that is asked are real.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it, test } from 'node:test';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { type CommandLine, createCommandLine } from './fixture.ts';

let line: CommandLine;
beforeEach(async () => {
  line = await createCommandLine();
  line.env = { PORT: '0' };
});
afterEach(() => line.remove());

describe('doctor', () => {
  it('finds nothing wrong before the first start and changes nothing', async () => {
    const { exitCode, out } = await line.run('doctor');

    assert.equal(exitCode, 0);
    assert.doesNotMatch(out, /✗|!/);
    assert.match(out, /Everything works\.\n$/);
    assert.deepEqual(await examine(line, 'database'), ['good']);
    assert.match((await line.run('keys', 'list')).out, /Nothing to show/);
  });

  it('finds nothing wrong in a folder that is used', async () => {
    await line.run('keys', 'create', 'x');

    const { exitCode, out } = await line.run('doctor', '--lang', 'es');

    assert.equal(exitCode, 0);
    assert.match(out, /✓ la base de datos abre, está entera y al día/);
    assert.match(out, /✓ solo su dueño puede leer el secreto maestro/);
  });

  it('finds a master secret that is lost, exposed or broken', async () => {
    await line.run('keys', 'create', 'x');
    const file = join(line.folder, 'data', 'secrets.json');

    chmodSync(file, 0o644);
    assert.deepEqual(await examine(line, 'secrets'), ['remark']);
    writeFileSync(file, '{}');
    assert.deepEqual(await examine(line, 'secrets'), ['fault']);
    rmSync(file);
    assert.deepEqual(await examine(line, 'secrets'), ['fault']);
  });

  it('finds a database that others may read', async () => {
    await line.run('keys', 'create', 'x');
    const atFirst = await examine(line, 'database');

    chmodSync(join(line.folder, 'data', 'esclusa.sqlite'), 0o640);

    assert.deepEqual(atFirst, ['good']);
    assert.deepEqual(await examine(line, 'database'), ['remark']);
  });

  it('finds a file that is no database', async () => {
    mkdirSync(join(line.folder, 'data'));
    writeFileSync(join(line.folder, 'data', 'esclusa.sqlite'), 'no database '.repeat(1000));

    assert.deepEqual(await examine(line, 'database'), ['fault']);
  });

  it('tells a port that is free, ours, and taken by another', async () => {
    let body = '{"status":"alive"}';
    const server = await serve((_url) => ({ status: 200, body }));
    line.env = { PORT: String(portOf(server)) };

    const ours = await examine(line, 'port');
    body = 'another program';
    const taken = await line.run('doctor');
    await close(server);
    const free = await examine(line, 'port');

    assert.deepEqual(ours, ['good']);
    assert.equal(taken.exitCode, 1);
    assert.match(taken.out, /✗ 127\.0\.0\.1:\d+ is taken by another program/);
    assert.deepEqual(free, ['good']);
  });

  it('asks each provider for its models with its key, and for nothing that costs', async () => {
    const asked: string[] = [];
    const server = await serve((url, authorization) => {
      asked.push(`${url} ${authorization}`);
      if (authorization === 'Bearer bad-key-0123456789') return { status: 401, body: '{}' };
      return { status: url.startsWith('/odd') ? 404 : 200, body: '{"data":[]}' };
    });
    const base = `http://127.0.0.1:${portOf(server)}`;
    configure(line, {
      good: { kind: 'openai-compatible', base_url: `${base}/v1`, api_key: 'good-key-0123456789' },
      bad: { kind: 'openai-compatible', base_url: `${base}/v1`, api_key: 'bad-key-0123456789' },
      odd: { kind: 'openai-compatible', base_url: `${base}/odd`, api_key: 'good-key-0123456789' },
      gone: {
        kind: 'openai-compatible',
        base_url: 'http://127.0.0.1:9/v1',
        api_key: 'good-key-0123456789',
      },
    });

    const states = Object.fromEntries(
      await Promise.all(
        ['good', 'bad', 'odd', 'gone'].map(async (name) => [
          name,
          (await examine(line, `provider ${name}`))[0],
        ]),
      ),
    );
    await close(server);

    assert.deepEqual(states, { good: 'good', bad: 'fault', odd: 'remark', gone: 'fault' });
    assert.equal(
      asked.every((call) => /^\/(v1|odd)\/models /.test(call)),
      true,
      String(asked),
    );
  });

  it('asks each kind of provider in its own way', async () => {
    const asked: string[] = [];
    const server = await serve((url, authorization, headers) => {
      const keys = ['x-api-key', 'api-key', 'x-goog-api-key'].flatMap((name) =>
        headers[name] === undefined ? [] : [`${name} ${headers[name]}`],
      );
      asked.push(`${url} ${authorization}${keys.join()}`);
      const isGoogle = url.startsWith('/v1beta/');
      const error = { code: 400, status: 'INVALID_ARGUMENT', message: 'API key not valid.' };
      const details = [
        { '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' },
      ];
      const refusal = JSON.stringify({ error: { ...error, details } });
      return isGoogle ? { status: 400, body: refusal } : { status: 200, body: '{}' };
    });
    const base_url = `http://127.0.0.1:${portOf(server)}`;
    const api_key = 'some-key-0123456789';
    configure(line, {
      claude: { kind: 'anthropic', base_url, api_key },
      azure: { kind: 'azure-openai', base_url, api_key },
      dated: { kind: 'azure-openai', base_url, api_key, api_version: '2024-10-21' },
      google: { kind: 'gemini', base_url, api_key },
      local: { kind: 'ollama', base_url },
    });

    const { out } = await line.run('doctor', '--json');
    await close(server);

    const { checks } = JSON.parse(out) as { checks: Finding[] };
    const states = Object.fromEntries(
      ['claude', 'azure', 'dated', 'google', 'local'].map((name) => [
        name,
        checks.find(({ check }) => check === `provider ${name}`)?.state,
      ]),
    );
    const good = { claude: 'good', azure: 'good', dated: 'good', local: 'good' };
    assert.deepEqual(states, { ...good, google: 'fault' });
    assert.deepEqual(asked.sort(), [
      '/api/tags ',
      `/openai/models?api-version=2024-10-21 api-key ${api_key}`,
      `/openai/v1/models api-key ${api_key}`,
      `/v1/models?limit=1 x-api-key ${api_key}`,
      `/v1beta/models?pageSize=1 x-goog-api-key ${api_key}`,
    ]);
  });

  it('names each problem of a broken configuration and goes no further', async () => {
    line.env = { PORT: 'many', ESCLUSA_WORKERZ: '1' };

    const { exitCode, out } = await line.run('doctor');

    assert.equal(exitCode, 1);
    assert.equal(out.match(/^✗ configuration/gm)?.length, 2);
    assert.doesNotMatch(out, /database/);
  });
});

describe('the configuration on the command line', () => {
  it('is checked without starting, and every problem is named', async () => {
    const good = await line.run('config', 'check');
    line.env = { PORT: 'many', LOG_LEVEL: 'loud' };
    const bad = await line.run('config', 'check');

    assert.equal(good.exitCode, 0);
    assert.match(good.out, /The configuration is good/);
    assert.equal(bad.exitCode, 1);
    assert.match(bad.err, /PORT/);
    assert.match(bad.err, /LOG_LEVEL/);
  });

  it('is blamed on the option that named it, where an option did', async () => {
    line.env = { ESCLUSA_CONFIG: 'elsewhere.yaml' };
    const byOption = await line.run('config', 'check', '--config', '/nowhere.yaml');
    const byVariable = await line.run('config', 'check');

    assert.equal(byOption.exitCode, 1);
    assert.match(byOption.err, /^ {2}--config — there is no file \/nowhere\.yaml$/m);
    assert.match(byVariable.err, /^ {2}environment ESCLUSA_CONFIG — there is no file/m);
  });

  it('may come with a strange name of the environment, but not for a start', async () => {
    line.env = { ESCLUSA_KEY: 'x' };
    const strange = /environment ESCLUSA_KEY — is not a name we know/;

    const list = await line.run('keys', 'list');
    const check = await line.run('config', 'check');
    const doctor = await line.run('doctor');

    assert.equal(list.exitCode, 0, list.err);
    assert.match(list.err, new RegExp(`^! ${strange.source}[^\\n]*\\n$`));
    assert.equal(check.exitCode, 1);
    assert.match(check.err, strange);
    assert.equal(doctor.exitCode, 1);
    assert.match(doctor.out, new RegExp(`^✗ configuration: ${strange.source}`, 'm'));
    assert.match(doctor.out, /disk|data folder/);
  });

  it('is shown without its secrets', async () => {
    const secret = 'sk-canary-0123456789abcdef';
    configure(line, {
      p: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9', api_key: secret },
    });

    const people = await line.run('config', 'show');
    const shown = await line.json<{ providers: { p: { api_key: string } } }>('config', 'show');

    assert.equal(people.out.includes(secret), false);
    assert.match(people.out, /^ +base_url: http:\/\/127\.0\.0\.1:9$/m);
    assert.equal(shown.providers.p.api_key, '***');
  });

  it('has a published schema', async () => {
    const { out } = await line.run('config', 'schema');

    assert.equal(typeof JSON.parse(out).properties.providers, 'object');
  });
});

describe('models, migrations and secrets', () => {
  it('list aliases with their targets and prices', async () => {
    const { data } = await line.json<{ data: { id: string; targets: { price: unknown }[] }[] }>(
      'models',
      'list',
    );
    const { out } = await line.run('models', 'list');

    assert.equal(data[0]?.id, 'mock');
    assert.notEqual(data[0]?.targets[0]?.price, null);
    assert.match(out, /^mock +mock\/mock/m);
  });

  it('make the database, once and again', async () => {
    const first = await line.run('migrate');
    const second = await line.json<{ is_current: boolean }>('migrate');

    assert.match(first.out, /up to date: .*esclusa\.sqlite\n$/);
    assert.equal(second.is_current, true);
  });

  it('make a secret that the program accepts, another each time', async () => {
    const name = 'ESCLUSA_MASTER_SECRET';
    const one = await line.json<Record<string, string>>('secrets', 'generate');
    const { out } = await line.run('secrets', 'generate');

    line.env = { [name]: one[name] ?? '' };
    await line.run('secrets', 'adopt'); // the database was made under another
    const used = await line.run('keys', 'create', 'x');
    assert.match(out, /^ESCLUSA_MASTER_SECRET=[A-Za-z0-9_-]{43}\n$/);
    assert.notEqual(out, `${name}=${one[name]}\n`);
    assert.equal(used.exitCode, 0, used.err);
  });

  it('refuse a database made under another secret, until that one is given up', async () => {
    await line.run('keys', 'create', 'before');
    line.env = { ESCLUSA_MASTER_SECRET: 'another-secret-than-the-one-of-the-database' };

    const refused = await line.run('keys', 'create', 'x');
    const adopted = await line.json<{ is_adopted: boolean }>('secrets', 'adopt');
    const made = await line.run('keys', 'create', 'x');

    assert.equal(refused.exitCode, 1);
    assert.match(refused.err, /ESCLUSA_MASTER_SECRET .* is not the one this database was made/);
    assert.equal(adopted.is_adopted, true);
    assert.equal(made.exitCode, 0, made.err);
  });
});

async function examine(from: CommandLine, check: string): Promise<string[]> {
  const { out } = await from.run('doctor', '--json');
  const { checks } = JSON.parse(out) as { checks: Finding[] };
  return checks.filter((finding) => finding.check === check).map(({ state }) => state);
}

function configure(to: CommandLine, providers: Record<string, unknown>): void {
  const file = join(to.folder, 'esclusa.yaml');
  writeFileSync(file, JSON.stringify({ providers }));
  to.env = { ...to.env, ESCLUSA_CONFIG: file };
}

type Answer = { readonly status: number; readonly body: string };

type Answerer = (url: string, authorization: string, headers: IncomingHttpHeaders) => Answer;

async function serve(answer: Answerer): Promise<Server> {
  const server = createServer(({ url = '', headers }, response) => {
    const { status, body } = answer(url, headers.authorization ?? '', headers);
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}

test('doctor --production judges an installation as production would', async (t) => {
  const line = await createCommandLine();
  t.after(() => line.remove());
  const url = 'redis://cache.example:6379';
  line.env = { DEBUG: 'true', ALLOWED_ORIGINS: '*', JWT_SECRET_KEY: 'change_this', REDIS_URL: url };

  const here = await line.run('doctor');
  const there = await line.run('doctor', '--production');
  line.env = { REDIS_URL: url };
  const plain = await line.run('doctor', '--production', '--lang', 'es');

  assert.doesNotMatch(here.out, /DEBUG — is on in production/);
  assert.equal(there.exitCode, 1);
  for (const name of ['DEBUG', 'ALLOWED_ORIGINS', 'JWT_SECRET_KEY']) {
    assert.match(there.out, new RegExp(`^✗ configuration: environment ${name} `, 'm'));
  }
  assert.match(plain.out, /^✗ no hay ningún proveedor/m);
  assert.match(plain.out, /^! Redis está en otra máquina y se le habla sin TLS/m);
});
