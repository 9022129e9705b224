/**
 * Goal: a copy that is made while the gateway works is the whole installation, and what is
 * brought back is that copy or nothing. Method: the whole program on a SQLite file under calls,
 * and the command line as a process of its own beside it; folders, files and signals are real.
 */
import assert from 'node:assert/strict';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { afterwards, temporaryFolder } from '../support/afterwards.ts';
import { ask, PRICED, populate, sums, type World } from '../support/backed-up.ts';
import { type CommandEnv, jsonOf, runCommand, startCommand } from '../support/command.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { load } from '../support/postgres-gateway.ts';
import { until } from '../support/until.ts';

const SECRET = 'a-secret-that-is-kept-apart-from-the-backups';

interface Setting {
  readonly folder: string;
  readonly gateway: TestGateway;
  readonly world: World;
  /** Of the command line, for the installation that works. */
  readonly env: CommandEnv;
  readonly backups: string;
}

async function setUp(t: TestContext): Promise<Setting> {
  const folder = temporaryFolder(t);
  const gateway = await start(folder);
  afterwards(t, () => gateway.close());
  const world = await populate(gateway);
  return { folder, gateway, world, env: envOf(join(folder, 'data')), backups: join(folder, 'b') };
}

function start(folder: string): Promise<TestGateway> {
  const env = { ESCLUSA_MASTER_SECRET: SECRET };
  return startGateway({ folder, config: PRICED, env });
}

function envOf(dataDir: string, secret = SECRET): CommandEnv {
  return { ESCLUSA_DATA_DIR: dataDir, ESCLUSA_MASTER_SECRET: secret };
}

async function backUp({ backups, env }: Setting): Promise<string> {
  const { exitCode, body, text } = await jsonOf(['backup', backups], env);
  assert.equal(exitCode, 0, text);
  return body.path;
}

/** Every file below a folder, with what it holds. */
function contents(folder: string): ReadonlyMap<string, string> {
  const files = existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).filter((each) => each.isFile())
    : [];
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [path, readFileSync(path, 'base64')];
    }),
  );
}

test('a backup under calls has what was acknowledged before, and works elsewhere', async (t) => {
  const setting = await setUp(t);
  const { gateway, world } = setting;
  const moved = await gateway.api('POST', '/api/v1/tenants/acme/move', { to: { kind: 'file' } });
  assert.equal(moved.status, 202);
  await until('the move', async () => {
    const { body } = await gateway.api('GET', '/api/v1/tenants/acme');
    return body.job?.status === 'done';
  });
  const kept = await gateway.api(
    'POST',
    '/v1/responses',
    { model: 'priced', input: 'Hola' },
    world.acme.secret,
  );
  const before = await ask(gateway, world.acme.secret);
  let isOver = false;
  let during = 0;
  const calling = load(
    async () => {
      if (isOver) return { status: 0 };
      during += 1;
      return ask(gateway, world.other.secret);
    },
    5000,
    4,
  );

  const path = await backUp(setting);
  isOver = true;
  await calling;

  assert.ok(during > 0, 'it was called meanwhile');
  const elsewhere = join(setting.folder, 'elsewhere');
  const env = envOf(join(elsewhere, 'data'));
  const restored = await jsonOf(['restore', path], env);
  assert.equal(restored.exitCode, 0, restored.text);
  const copy = await start(elsewhere);
  afterwards(t, () => copy.close());
  assert.equal((await copy.api('GET', `/api/v1/requests/${before.id}`)).status, 200);
  assert.equal((await ask(copy, world.acme.secret)).status, 200);
  const response = `/v1/responses/${kept.body.id}`;
  assert.equal((await copy.api('GET', response, undefined, world.acme.secret)).status, 200);
  const figures = await sums(env);
  const acme = figures.get('acme') ?? { requests: 0, cost: 0 };
  const innova = figures.get('innova') ?? { requests: 0, cost: 0 };
  assert.equal(acme.requests, 43, '40 and one, a response, and one in the copy');
  assert.ok(innova.requests >= 20 && innova.requests <= 20 + during, `${innova.requests}`);
  assert.ok(innova.cost > 0);
  assert.equal(innova.cost % innova.requests, 0, 'every call costs the same');
  assert.equal((await runCommand(['audit', 'verify'], env)).exitCode, 0);
});

test('a backup is private, has no secret, and is never written over', async (t) => {
  const setting = await setUp(t);

  const path = await backUp(setting);
  const verified = await jsonOf(['backup', 'verify', path], setting.env);

  assert.equal(verified.exitCode, 0, verified.text);
  for (const [file, bytes] of contents(path)) {
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
    const text = Buffer.from(bytes, 'base64').toString('latin1');
    assert.ok(!text.includes(SECRET) && !text.includes(setting.world.acme.secret), file);
  }
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.deepEqual(readdirSync(setting.backups), [path.split('/').at(-1)]);
});

test('the newest are kept, and what is no backup is left alone', async (t) => {
  const setting = await setUp(t);
  const { backups } = setting;
  const path = await backUp(setting);
  for (const name of ['esclusa-20200101T000000Z', 'esclusa-20210101T000000Z']) {
    cpSync(path, join(backups, name), { recursive: true });
  }
  const foreign = join(backups, 'esclusa-20190101T000000Z');
  mkdirSync(foreign);
  const page = readFileSync(join(path, 'manifest.json'), 'utf8');
  writeFileSync(join(foreign, 'manifest.json'), page.replace(/(Mark": ")../, '$1zz'));
  writeFileSync(join(backups, 'notes.txt'), 'mine');
  await until(
    'another second',
    () => new Date().toISOString().slice(17, 19) !== path.slice(-3, -1),
  );

  const made = await jsonOf(['backup', backups, '--keep', '2'], setting.env);

  assert.equal(made.exitCode, 0, made.text);
  assert.deepEqual(
    made.body.removed.map((each: string) => each.split('/').at(-1)),
    ['esclusa-20200101T000000Z', 'esclusa-20210101T000000Z'],
  );
  assert.deepEqual(readdirSync(backups).sort(), [
    'esclusa-20190101T000000Z',
    ...[path, made.body.path].map((each: string) => each.split('/').at(-1)),
    'notes.txt',
  ]);
});

test('what was changed, and another secret, are refused before anything is written', async (t) => {
  const setting = await setUp(t);
  const path = await backUp(setting);
  const target = join(setting.folder, 'target');
  let copies = 0;
  const damage = (name: string, change: (bytes: Buffer) => Buffer) => {
    copies += 1;
    const copy = join(setting.folder, `damaged-${copies}`);
    cpSync(path, copy, { recursive: true });
    const file = join(copy, name);
    writeFileSync(file, change(readFileSync(file)));
    return copy;
  };
  const flipped = (bytes: Buffer) => {
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 1;
    return bytes;
  };
  const cases = [
    [damage('database/main.sqlite', flipped), SECRET, 'backup_damaged'],
    [
      damage('manifest.json', (bytes) =>
        Buffer.from(bytes.toString().replace(/"tenant": null/, '"tenant": "acme"')),
      ),
      SECRET,
      'backup_damaged',
    ],
    [
      damage('manifest.json', (bytes) =>
        Buffer.from(bytes.toString().replace('"format": 1', '"format": 2')),
      ),
      SECRET,
      'backup_newer',
    ],
    [path, 'another-secret-that-is-long-enough-for-it', 'backup_other_secret'],
    [path, '', 'backup_no_secret'],
    [setting.backups, SECRET, 'backup_missing'],
  ] as const;

  for (const [from, secret, code] of cases) {
    const refused = await jsonOf(['restore', from], envOf(target, secret));
    assert.deepEqual([refused.exitCode, refused.code], [1, code], refused.text);
    assert.deepEqual([...contents(target)], [], code);
  }
});

test('what is there is refused, then kept aside; a running one is always refused', async (t) => {
  const setting = await setUp(t);
  const { env, folder, gateway } = setting;
  const dataDir = join(folder, 'data');
  const path = await backUp(setting);
  const late = await gateway.key({ tenant: 'acme' });

  const running = await jsonOf(['restore', path, '--replace'], env);
  await gateway.close();
  const before = contents(dataDir);
  const refused = await jsonOf(['restore', path], env);

  assert.equal(running.code, 'restore_in_use');
  assert.equal(refused.code, 'restore_not_empty');
  assert.deepEqual(contents(dataDir), before);

  const restored = await jsonOf(['restore', path, '--replace'], env);
  assert.equal(restored.exitCode, 0, restored.text);
  const [aside = ''] = restored.body.aside as readonly string[];
  assert.match(aside, /esclusa\.sqlite\.before-restore-\d{8}T\d{9}Z$/);
  assert.equal(
    readFileSync(aside, 'base64'),
    before.get(join(dataDir, 'esclusa.sqlite')),
    'what was there is there still',
  );
  const again = await start(folder);
  afterwards(t, () => again.close());
  assert.equal((await ask(again, setting.world.acme.secret)).status, 200);
  assert.equal((await ask(again, late.secret)).status, 401, 'it was made after the backup');
});

test('a restore that is killed at any moment leaves the old or the new, never both', async (t) => {
  const setting = await setUp(t);
  const { env, folder, gateway } = setting;
  const dataDir = join(folder, 'data');
  const path = await backUp(setting);
  await gateway.key({ tenant: 'acme', name: 'after the backup' });
  await gateway.close();
  const names = async () => {
    const { body } = await jsonOf(['keys', 'list'], env);
    const rows = (Array.isArray(body) ? body : body.data) as readonly { readonly name: string }[];
    return rows.length;
  };
  const old = await names();

  for (const delayMs of [200, 350, 450]) {
    const child = startCommand(['restore', path, '--replace', '--yes'], env);
    const gone = new Promise((resolve) => child.once('exit', resolve));
    const timer = setTimeout(() => child.kill('SIGKILL'), delayMs);
    await gone;
    clearTimeout(timer);
    if (existsSync(join(dataDir, 'restore.json'))) {
      assert.equal((await jsonOf(['keys', 'list'], env)).code, 'restore_unfinished');
    } else {
      assert.ok([old, old - 1].includes(await names()));
    }
  }
  const last = await jsonOf(['restore', path, '--replace'], env);

  assert.equal(last.exitCode, 0, last.text);
  assert.equal(await names(), old - 1);
  assert.deepEqual(
    readdirSync(dataDir, { recursive: true }).filter((name) =>
      /restor(ing|e\.json)/.test(`${name}`),
    ),
    [],
  );
});

test('a backup that is told to stop leaves nothing behind', async (t) => {
  const setting = await setUp(t);
  const child = startCommand(['backup', setting.backups], setting.env);
  const gone = new Promise((resolve) => child.once('exit', (code) => resolve(code)));

  await until('its beginning', () => existsSync(setting.backups));
  child.kill('SIGTERM');
  const code = await gone;

  const left = readdirSync(setting.backups).filter((name) => name.endsWith('.partial'));
  assert.deepEqual(left, []);
  assert.ok(code === 1 || readdirSync(setting.backups).length === 1, 'stopped, or just done');
});
