/**
 * Verbs about feature flags, over a real database in a folder of its own.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { type Flag, flagListSchema, flagSchema } from '@esclusa/contracts';
import { type CommandLine, createCommandLine } from './fixture.ts';

describe('feature flags on the command line', () => {
  let line: CommandLine;
  before(async () => {
    line = await createCommandLine();
  });
  after(() => line.remove());

  it('are listed as they are by default, and in Spanish', async () => {
    const { data } = flagListSchema.parse(await line.json('flags', 'list'));
    const { out } = await line.run('flags', 'list', '--lang', 'es');

    assert.equal(data.length, 5);
    assert.ok(data.every(({ enabled, is_stored: isStored }) => enabled && !isStored));
    assert.match(out, /^FUNCIÓN +ENCENDIDA PARA/m);
    assert.match(out, /^circuit_breaker +todos/m);
  });

  it('are set to a share, turned off and taken back, and it is written down', async () => {
    const made = flagSchema.parse(await line.json('flags', 'set', 'x', '--percentage', '10'));
    const { out } = await line.run('flags', 'set', 'x', '--off');
    await line.run('flags', 'remove', 'x');
    const { data } = await line.json<{ data: { action: string }[] }>('audit', 'list');

    assert.deepEqual([made.enabled, made.percentage, made.by], [true, 10, 'tenant']);
    assert.equal(out, 'x is on for: nobody\n');
    assert.deepEqual(
      data.map(({ action }) => action),
      ['flags.remove', 'flags.update', 'flags.update'],
    );
  });

  it('are given a plan, which is shown and ended', async () => {
    const words = ['flags', 'rollout', 'y', '--steps', '5,25', '--soak', '60', '--samples', '9'];
    const begun = flagSchema.parse(await line.json<Flag>(...words));
    const { out } = await line.run('flags', 'list');
    const ended = flagSchema.parse(await line.json('flags', 'rollout', 'y', '--cancel'));

    assert.deepEqual(begun.rollout?.steps[1], {
      ...{ percentage: 25, soak_seconds: 60, min_samples: 9 },
    });
    assert.equal(begun.percentage, 5);
    assert.match(out, /^y +5 % of tenants +\[5\] → 25 %, running/m);
    assert.deepEqual([ended.rollout?.status, ended.percentage], ['cancelled', 5]);
  });

  it('name the variable that forces one off', async () => {
    line.env = { ENABLE_CIRCUIT_BREAKER: 'false' };
    const { out } = await line.run('flags', 'list');
    line.env = {};

    assert.match(out, /^circuit_breaker +nobody \(ENABLE_CIRCUIT_BREAKER\)/m);
  });

  it('refuse what cannot be, in one line', async () => {
    const both = await line.run('flags', 'set', 'x', '--on', '--off');
    const none = await line.run('flags', 'set', 'x');
    const share = await line.run('flags', 'set', 'x', '--percentage', '101');
    const falling = await line.run('flags', 'rollout', 'x', '--steps', '50,10');
    const absent = await line.run('flags', 'remove', 'nothing');

    assert.deepEqual(
      [both, none, share, falling, absent].map(({ exitCode }) => exitCode > 0),
      [true, true, true, true, true],
    );
    assert.match(falling.err, /Each step must be larger/);
    for (const { err } of [both, none, share, falling, absent]) {
      assert.equal(err.split('\n').length, 2, err);
    }
  });
});
