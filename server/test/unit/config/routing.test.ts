/**
 * Goal: what a file says of choosing targets arrives as it was meant, and what is misspelt or
 * cannot be is refused with its place. Method: whole files, with exact messages.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadText, problemsOf } from '../../support/config.ts';

const T = 'targets: [{ provider: mock, model: m }]';

describe('choosing targets', () => {
  it('knows conditions of an alias and of its targets, one text or several', async () => {
    const { config } = await loadText(`models:
  a:
    strategy: weighted
    sticky: header.x-session
    when: { tenant: acme }
    targets:
      - { provider: mock, model: one }
      - provider: mock
        model: two
        capabilities: [tools]
        when:
          header: { x-tier: gold }
          metadata: { team: [red, blue] }
          operation: [chat, embedding]
          stream: no
          has_images: true
          max_input_tokens: 8000
  b: { ${T} }`);
    const [one, two] = config.models.a?.targets ?? [];

    assert.deepEqual(config.models.a?.sticky, { kind: 'header', name: 'x-session' });
    assert.deepEqual(one?.when, [{ tenant: ['acme'] }]);
    assert.deepEqual(two?.when, [
      { tenant: ['acme'] },
      {
        operation: ['chat', 'embedding'],
        header: { 'x-tier': ['gold'] },
        metadata: { team: ['red', 'blue'] },
        stream: false,
        hasImages: true,
        maxInputTokens: 8000,
      },
    ]);
    assert.deepEqual(two?.capabilities, ['tools']);
    assert.deepEqual(
      [config.models.b?.sticky, config.models.b?.targets[0]?.when],
      [undefined, undefined],
    );
  });

  it('knows retired names and the time in which latency is forgotten', async () => {
    const { config } = await loadText(`models: { a: { ${T} } }
retired_models: { gpt-3.5-turbo: a, mock/old: mock/new }
routing: { latency_decay_seconds: 30 }`);

    assert.deepEqual(Object.entries(config.retiredModels), [
      ['gpt-3.5-turbo', 'a'],
      ['mock/old', 'mock/new'],
    ]);
    assert.equal(config.routing.latencyDecaySeconds, 30);
  });
});

const CASES: readonly (readonly [claim: string, file: string, problems: readonly string[]])[] = [
  [
    'a strategy that there is not',
    `models: { a: { strategy: latencey, ${T} } }`,
    [
      'esclusa.yaml:1:26 models.a.strategy — "latencey" is not accepted (did you mean latency?); ' +
        'accepted: fallback, weighted, latency, cost, least-busy',
    ],
  ],
  [
    'a member of a condition that is misspelt',
    `models: { a: { ${T}, when: { has_image: true } } }`,
    [
      'esclusa.yaml:1:65 models.a.when.has_image — is not a setting (did you mean has_images?); ' +
        'accepted here: tenant, key, user, operation, header, metadata, stream, has_tools, ' +
        'has_images, has_files, has_json_schema, min_input_tokens, max_input_tokens',
    ],
  ],
  [
    'a label that is no label',
    `models: { a: { strategy: weighted, sticky: session, ${T} } }`,
    [
      'esclusa.yaml:1:44 models.a.sticky — "session" is not accepted; accepted: `tenant`, `key`, ' +
        '`user`, `header.<name>` or `metadata.<name>`, in lower case',
    ],
  ],
  [
    'a label under a strategy that does not keep to it',
    `models: { a: { strategy: latency, sticky: user, ${T} } }`,
    [
      'esclusa.yaml:1:43 models.a.sticky — holds under the strategy weighted, and here it is ' +
        'latency',
    ],
  ],
  [
    'headers that hold a credential',
    `models:
  a: { strategy: weighted, sticky: header.authorization, ${T} }
  b: { ${T}, when: { header: { x-api-key: k } } }`,
    [
      'esclusa.yaml:2:36 models.a.sticky — holds a credential, and is nothing to compare in a file',
      'esclusa.yaml:3:78 models.b.when.header.x-api-key — holds a credential, and is nothing to ' +
        'compare in a file',
    ],
  ],
  [
    'capabilities that there are not',
    'models: { a: { targets: [{ provider: mock, model: m, capabilities: [fly] }] } }',
    [
      'esclusa.yaml:1:69 models.a.targets[0].capabilities[0] — "fly" is not accepted; ' +
        'accepted: tools, vision, json_schema, reasoning',
    ],
  ],
  [
    'a provider with the name that is kept for roles',
    'providers: { role: { kind: mock } }',
    [
      'esclusa.yaml:1:20 providers.role — is kept for roles: clients ask for them as ' +
        'role/<name>; choose another name',
    ],
  ],
  [
    'retired names that are in use, lead nowhere or by way of another',
    `models: { a: { ${T} } }
retired_models: { a: mock/m, role/x: a, old: older, older: a, b: nobody/m }`,
    [
      'esclusa.yaml:2:22 retired_models.a — is an alias under `models`, and cannot be retired too',
      'esclusa.yaml:2:38 retired_models["role/x"] — is a role’s name; say under `roles` what ' +
        'answers it',
      'esclusa.yaml:2:46 retired_models.old — "older" is not a model alias; configured: a, mock',
      'esclusa.yaml:2:66 retired_models.b — "nobody" is not a provider; configured: mock',
    ],
  ],
  [
    'prompts that there are not, and experiments that try nothing',
    `prompts: { tutor: { v1: Ask., v2: "" } }
models:
  a: { ${T}, prompt: tutor@v3 }
  b: { ${T}, prompt: tutor, experiment: { flag: x } }
  c: { ${T}, prompt: tutor@v1, experiment: { flag: x, prompt: tutor@v1 } }`,
    [
      'esclusa.yaml:1:35 prompts.tutor.v2 — "" is not accepted; accepted: a text of 1 to 65536 ' +
        'characters',
      'esclusa.yaml:3:57 models.a.prompt — "tutor@v3" is not a version of a prompt (did you ' +
        'mean tutor@v1?); configured: tutor@v1',
      'esclusa.yaml:4:57 models.b.prompt — "tutor" is not a version of a prompt; configured: ' +
        'tutor@v1',
      'esclusa.yaml:4:76 models.b.experiment — has neither `candidate` nor `prompt`: there is ' +
        'nothing to try',
      'esclusa.yaml:5:98 models.c.experiment.prompt — is the prompt that the alias has anyway',
    ],
  ],
];

describe('a configuration is refused for', () => {
  for (const [claim, file, problems] of CASES) {
    it(claim, async () => {
      assert.deepEqual(await problemsOf(file), problems);
    });
  }
});
