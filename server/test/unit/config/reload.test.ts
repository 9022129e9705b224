/**
 * Goal: a running program follows its configuration, and never follows a bad one.
 * Method: the keeper over files in memory and a clock moved by hand; one test with a real
 * folder swaps links the way mounted config maps do.
 */
import assert from 'node:assert/strict';
import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  type Change,
  type ConfigKeeper,
  createConfigKeeper,
  type Environment,
  type FileAccess,
  load,
  systemFiles,
} from '../../../src/config/index.ts';
import { type Log, silentLog } from '../../../src/kernel/log.ts';
import { temporaryFolder } from '../../support/afterwards.ts';
import { CONFIG_FILE, createMemoryFiles, testCatalogue } from '../../support/config.ts';
import { createManualClock, type ManualClock } from '../../support/manual-clock.ts';
import { until } from '../../support/until.ts';

interface Fixture {
  readonly keeper: ConfigKeeper;
  readonly clock: ManualClock;
  readonly told: { readonly number: number; readonly changes: readonly Change[] }[];
}

async function keep(
  files: FileAccess,
  env: Environment = {},
  log: Log = silentLog,
): Promise<Fixture> {
  const catalogue = await testCatalogue();
  const clock = createManualClock();
  const reload = () => load({ env, files, catalogue, nowMs: clock.wallMs() });
  const keeper = createConfigKeeper({
    initial: await reload(),
    load: reload,
    vendors: catalogue.vendors,
    files,
    clock,
    log,
  });
  const told: Fixture['told'] = [];
  keeper.subscribe((generation, changes) => told.push({ number: generation.number, changes }));
  return { keeper, clock, told };
}

/** One look at the file, once it is over: the next timer is set. */
async function look(clock: ManualClock): Promise<void> {
  clock.advance(1000);
  await until('the next look is planned', () => clock.pendingTimers() === 1);
}

describe('reloading', () => {
  it('applies what changed live, with the next number, and tells it', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, told } = await keep(files);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    const outcome = await keeper.reload();

    assert.equal(outcome.kind, 'applied');
    assert.equal(keeper.current.number, 2);
    assert.equal(keeper.current.config.cache.ttlSeconds, 2);
    const change = { path: 'cache.ttl_seconds', before: 1, after: 2, apply: 'live' };
    assert.deepEqual(told, [{ number: 2, changes: [change] }]);
  });

  it('keeps the generation in force when the file is bad, and says why', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, told } = await keep(files);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: x }\nprot: 1');
    const outcome = await keeper.reload();

    assert.equal(outcome.kind, 'rejected');
    assert.equal(keeper.current.number, 1);
    assert.equal(keeper.current.config.cache.ttlSeconds, 1);
    assert.equal(keeper.rejected?.problems.length, 2);
    assert.deepEqual(told, []);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 3 }');
    await keeper.reload();

    assert.equal(keeper.rejected, null);
    assert.equal(keeper.current.config.cache.ttlSeconds, 3);
  });

  it('keeps the generation in force when the file is gone', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper } = await keep(files);

    files.write(CONFIG_FILE, null);
    const outcome = await keeper.reload();

    assert.equal(outcome.kind, 'rejected');
    assert.match(String(keeper.rejected?.message), /the file is gone/);
    assert.equal(keeper.current.config.cache.ttlSeconds, 1);
  });

  it('takes up a file that appears', async () => {
    const files = createMemoryFiles();
    const { keeper } = await keep(files);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 1 }');

    assert.equal((await keeper.reload()).kind, 'applied');
  });

  it('tells a warning once, with the generation that brought it', async () => {
    const target = 'models: { odd: { targets: [{ provider: mock, model: nobody-knows-it }] } }';
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const warned: string[] = [];
    const log: Log = { ...silentLog, warn: (message) => warned.push(message) };
    const { keeper } = await keep(files, {}, log);

    files.write(CONFIG_FILE, target);
    await keeper.reload();
    files.write(CONFIG_FILE, `${target}\ncache: { ttl_seconds: 2 }`);
    await keeper.reload();

    assert.equal(keeper.current.number, 3);
    assert.equal(warned.length, 1);
    assert.match(warned[0] ?? '', /no price is known for mock\/nobody-knows-it/);
  });

  it('reports what needs a restart and keeps its running value', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'port: 1\ncache: { ttl_seconds: 1 }' });
    const { keeper } = await keep(files);

    files.write(
      CONFIG_FILE,
      'port: 2\ncache: { ttl_seconds: 2, max_entries: 5 }\nadmin: { key: abcdefgh }',
    );
    const outcome = await keeper.reload();

    assert.equal(outcome.kind, 'applied');
    assert.deepEqual(outcome.kind === 'applied' && outcome.changes.map(({ path }) => path), [
      'cache.ttl_seconds',
    ]);
    assert.deepEqual(keeper.needRestart, [
      { path: 'port', before: 1, after: 2, apply: 'restart' },
      { path: 'cache.max_entries', before: 1000, after: 5, apply: 'restart' },
      { path: 'admin.key', before: undefined, after: '***', apply: 'restart' },
    ]);
    assert.equal(keeper.current.config.port, 1);
    assert.equal(keeper.current.config.cache.maxEntries, 1000);
    assert.equal(keeper.current.config.admin.key, null);
    assert.equal(keeper.current.config.cache.ttlSeconds, 2);
  });

  it('is no new generation when only a restart can follow', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'port: 1' });
    const { keeper, told } = await keep(files);

    files.write(CONFIG_FILE, 'port: 2');
    const outcome = await keeper.reload();

    assert.equal(outcome.kind, 'unchanged');
    assert.equal(keeper.current.number, 1);
    assert.deepEqual(told, []);
  });

  it('runs once more for requests that came while it ran', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, told } = await keep(files);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    const first = keeper.reload();
    const second = keeper.reload();
    const third = keeper.reload();

    assert.equal(second, third);
    assert.deepEqual([(await first).kind, (await second).kind], ['applied', 'unchanged']);
    assert.equal(told.length, 1);
  });

  it('tells the others when one part of the program cannot follow', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, told } = await keep(files);
    const numbers: number[] = [];
    keeper.subscribe(() => {
      throw new Error('cannot');
    });
    const leave = keeper.subscribe(({ number }) => numbers.push(number));

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    await keeper.reload();
    leave();
    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 3 }');
    await keeper.reload();

    assert.deepEqual(numbers, [2]);
    assert.deepEqual(
      told.map(({ number }) => number),
      [2, 3],
    );
  });
});

describe('watching', () => {
  it('reloads within a second of a change, and only then', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, clock } = await keep(files);
    keeper.watch();
    await look(clock);
    assert.equal(keeper.current.number, 1);

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    await look(clock);

    assert.equal(keeper.current.number, 2);
    keeper.stop();
  });

  it('sees a change that came before the first look', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    const { keeper, clock } = await keep(files);
    keeper.watch();

    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    await look(clock);

    assert.equal(keeper.current.number, 2);
    keeper.stop();
  });

  it('is not moved by a touch that leaves the text as it was', async () => {
    const text = 'cache: { ttl_seconds: 1 }';
    const files = createMemoryFiles({ [CONFIG_FILE]: text });
    const { keeper, clock } = await keep(files);
    keeper.watch();
    await look(clock);

    files.write(CONFIG_FILE, text);
    await look(clock);

    assert.equal(keeper.current.number, 1);
    keeper.stop();
  });

  it('sees a second write that left the stamp of a fresh file as it was', async () => {
    const texts = ['cache: { ttl_seconds: 1 }', 'cache: { ttl_seconds: 2 }'];
    const startMs = createManualClock().wallMs();
    let text = texts[0] ?? '';
    const files: FileAccess = {
      read: async (path) => (path === CONFIG_FILE ? text : null),
      stamp: async () => ({ modifiedMs: startMs, identity: 'coarse' }),
    };
    const { keeper, clock } = await keep(files);
    keeper.watch();
    await look(clock);

    text = texts[1] ?? '';
    await look(clock);

    assert.equal(keeper.current.config.cache.ttlSeconds, 2);
    keeper.stop();
  });

  it('goes on after the file could not be read', async () => {
    const files = createMemoryFiles({ [CONFIG_FILE]: 'cache: { ttl_seconds: 1 }' });
    let isBroken = true;
    const flaky: FileAccess = {
      read: files.read,
      stamp: (path) => (isBroken ? Promise.reject(new Error('EIO')) : files.stamp(path)),
    };
    const { keeper, clock } = await keep(flaky);
    keeper.watch();
    await look(clock);

    isBroken = false;
    files.write(CONFIG_FILE, 'cache: { ttl_seconds: 2 }');
    await look(clock);

    assert.equal(keeper.current.number, 2);
    keeper.stop();
  });

  it('ends when it is stopped', async () => {
    const { keeper, clock } = await keep(createMemoryFiles());
    keeper.watch();
    await look(clock);

    keeper.stop();

    assert.equal(clock.pendingTimers(), 0);
  });

  it('follows a link that is swapped, as mounted config maps do', async (t) => {
    const folder = temporaryFolder(t);
    const put = async (version: string, ttlSeconds: number): Promise<void> => {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'e.yaml'), `cache: { ttl_seconds: ${ttlSeconds} }`);
      await symlink(version, join(folder, `${version}.link`));
      await rename(join(folder, `${version}.link`), join(folder, '..data'));
    };
    await put('v1', 1);
    await symlink('..data/e.yaml', join(folder, 'e.yaml'));
    const { keeper, clock } = await keep(systemFiles, {
      ESCLUSA_CONFIG: join(folder, 'e.yaml'),
    });
    keeper.watch();
    await look(clock);
    assert.equal(keeper.current.config.cache.ttlSeconds, 1);

    await put('v2', 2);
    await look(clock);

    assert.equal(keeper.current.config.cache.ttlSeconds, 2);
    keeper.stop();
  });
});
