/**
 * `esclusa explain`: of the configuration alone and of a running server, in both languages and
 * as JSON, with the exit code that says whether the request would be answered.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { KeyCreated, RouteExplanation } from '@esclusa/contracts';
import { ADMIN_KEY, startGateway, type TestGateway } from '../../support/gateway.ts';
import { type CommandLine, createCommandLine } from './fixture.ts';

const CONFIG = {
  providers: { near: { kind: 'mock' }, far: { kind: 'mock' } },
  models: {
    smart: {
      strategy: 'cost',
      targets: [
        {
          provider: 'near',
          model: 'mock',
          price: { input_usd_per_million: 1000, output_usd_per_million: 2000 },
        },
        {
          provider: 'far',
          model: 'mock',
          price: { input_usd_per_million: 1, output_usd_per_million: 2 },
          when: { header: { 'x-tier': 'gold' } },
        },
      ],
    },
  },
  roles: { human: 'smart' },
};

/** The digest below is the beginning of what `sha256sum` says of the text. */
const TUTOR = {
  ...CONFIG,
  prompts: { tutor: { v1: 'Ask, do not solve.', v2: 'Ask.' } },
  models: {
    tutor: {
      targets: [{ provider: 'near', model: 'mock' }],
      prompt: 'tutor@v1',
      experiment: { flag: 'tutor_prompt', prompt: 'tutor@v2' },
    },
  },
  roles: {},
};

let line: CommandLine;
let file: string;
before(async () => {
  line = await createCommandLine();
  file = join(line.folder, 'esclusa.yaml');
  await writeFile(file, JSON.stringify(CONFIG));
});
after(() => line.remove());

describe('esclusa explain, of the configuration', () => {
  it('shows the targets in order, those left out and the cache', async () => {
    const { exitCode, out, err } = await line.run('explain', 'smart', '--config', file);

    assert.deepEqual([exitCode, err], [0, '']);
    assert.equal(out, TABLE);
  });

  it('shows the arm of an experiment and the prompt, in both languages', async () => {
    const tutor = join(line.folder, 'tutor.yaml');
    await writeFile(tutor, JSON.stringify(TUTOR));

    const english = await line.run('explain', 'tutor', '--config', tutor);
    const spanish = await line.run('explain', 'tutor', '--config', tutor, '--lang', 'es');

    assert.match(english.out, /^Arm of an experiment: tutor_prompt\/control\.$/m);
    assert.match(english.out, /^Before it stands the prompt tutor@v1#9ad984b3\.$/m);
    assert.match(spanish.out, /^Brazo de un experimento: tutor_prompt\/control\.$/m);
    assert.match(spanish.out, /^Delante va el prompt tutor@v1#9ad984b3\.$/m);
  });

  it('says it in Spanish', async () => {
    const { out } = await line.run('explain', 'smart', '--config', file, '--lang', 'es');

    assert.match(out, /^smart, pedido por key_operator del inquilino default$/m);
    assert.match(out, /^1 {2}near\/mock {2}el único/m);
    assert.match(out, /^far\/mock {4}no se cumple una condición: header\.x-tier {2}/m);
    assert.match(out, /^La caché no interviene: not-deterministic\.$/m);
  });

  it('takes prompt, headers, stream and most tokens into account', async () => {
    const explained = await line.json<RouteExplanation>(
      ...['explain', 'role/human', '--config', file, '--headers', 'X-Tier=gold, x-a=b'],
      ...['--prompt', 'x'.repeat(400), '--max-tokens', '7', '--stream'],
    );

    assert.deepEqual(
      explained.targets.map(({ id, reason }) => [id, reason]),
      [
        ['far/mock', 'cost'],
        ['near/mock', 'cost'],
      ],
    );
    assert.equal(explained.output_tokens, 7);
    assert.ok(explained.input_tokens > 100 && explained.input_tokens < 150);
    assert.deepEqual([explained.cache?.usable, explained.live], [false, false]);
  });

  it('reads a request from a file, and the name from the command', async () => {
    const request = join(line.folder, 'request.json');
    const messages = [{ role: 'user', content: 'hola' }];
    await writeFile(request, JSON.stringify({ model: 'x', temperature: 0, messages }));

    const { model, cache } = await line.json<RouteExplanation>(
      ...['explain', 'smart', '--config', file, '--request', request],
    );

    assert.deepEqual([model, cache?.usable, cache?.key], ['smart', true, null]);
  });

  it('asks as a key of the data, with its models', async () => {
    const { id } = await line.json<KeyCreated>('keys', 'create', 'narrow', '--models', 'other');

    const refused = await line.run('explain', 'smart', '--config', file, '--key', id);
    const unknown = await line.run('explain', 'smart', '--config', file, '--key', 'key_nobody');

    assert.equal(refused.exitCode, 1);
    assert.match(refused.out, /^It would be refused with 403 model_not_allowed: /m);
    assert.match(refused.out, /near\/mock/);
    assert.deepEqual([unknown.exitCode, unknown.out], [1, '']);
  });

  it('ends with 1 where the request would be refused, also as JSON', async () => {
    const { exitCode, out } = await line.run('explain', 'nobody', '--config', file, '--json');

    assert.equal(exitCode, 1);
    assert.equal((JSON.parse(out) as RouteExplanation).refusal?.code, 'model_not_found');
  });

  for (const [option, value] of [
    ['--request', '/nowhere/request.json'],
    ['--headers', 'x-tier'],
    ['--url', 'somewhere'],
    ['--max-tokens', '0'],
    ['--tenant', 'No Slug'],
  ] as const) {
    it(`refuses ${option} ${value} in one line that names it`, async () => {
      const argv = ['explain', 'smart', '--config', file, option, value];
      const { exitCode, out, err } = await line.run(...argv);

      assert.deepEqual([exitCode, out], [2, '']);
      assert.match(err, new RegExp(`^Error: ${option}: .*\n$`));
    });
  }
});

describe('esclusa explain, of a server', () => {
  let gateway: TestGateway;
  before(async () => {
    gateway = await startGateway({ config: CONFIG });
    line.env = { ESCLUSA_ADMIN_KEY: ADMIN_KEY };
  });
  after(() => gateway.close());

  it('gives the answer of the server, for the headers that were named', async () => {
    await gateway.chat({ model: 'smart', messages: [{ role: 'user', content: 'Hi' }] });

    const explained = await line.json<RouteExplanation>(
      ...['explain', 'smart', '--url', gateway.url, '--headers', 'x-tier=gold'],
    );

    assert.equal(explained.live, true);
    assert.deepEqual(
      explained.targets.map(({ id, expected_ms }) => [id, expected_ms === null]),
      [
        ['far/mock', true],
        ['near/mock', false],
      ],
    );
  });

  it('shows the same table, without the remark', async () => {
    const { exitCode, out } = await line.run('explain', 'smart', '--url', `${gateway.url}/`);

    assert.equal(exitCode, 0);
    assert.match(out, /near\/mock {2}the only one/);
    assert.doesNotMatch(out, /--url/);
  });

  it('says in one line that nothing answers, or that the server refuses', async () => {
    const dead = await line.run('explain', 'smart', '--url', 'http://127.0.0.1:1');
    line.env = { ESCLUSA_ADMIN_KEY: `${ADMIN_KEY}x` };
    const wrong = await line.run('explain', 'smart', '--url', gateway.url);
    line.env = {};
    const none = await line.run('explain', 'smart', '--url', gateway.url);

    assert.equal(dead.err, 'Error: Nothing answers at http://127.0.0.1:1.\n');
    assert.match(wrong.err, /^Error: http:\/\/127\.0\.0\.1:\d+ answers 401\. .+\n$/);
    assert.match(none.err, /^Error: To ask a server, set ESCLUSA_ADMIN_KEY/);
    assert.deepEqual([dead.exitCode, wrong.exitCode, none.exitCode], [1, 1, 1]);
  });
});

const TABLE = `smart, asked for by key_operator of tenant default
Route smart, strategy cost.
About 15 tokens in and 512 out; a budget would promise $8.251000.
#  TARGET     REASON        WEIGHT       COST    AT MOST  MS  WAITING  LOAD
1  near/mock  the only one       1  $1.039000  $8.251000   ?        0   0 %
LEFT OUT  REASON                                    AGAIN IN
far/mock  a condition does not hold: header.x-tier         –
The cache is passed: not-deterministic.
From the configuration alone: --url asks a server, which knows times and load.
`;
