/**
 * The maps an operator fills: providers by name, models by alias, roles by name. What is
 * particular to a kind of provider is declared in that provider's folder and joined here with
 * what all kinds have.
 */
import { z } from 'zod';
import { anthropicSettings } from '../../providers/anthropic/settings.ts';
import { geminiSettings } from '../../providers/gemini/settings.ts';
import { mockSettings } from '../../providers/mock/settings.ts';
import { ollamaSettings } from '../../providers/ollama/settings.ts';
import {
  azureOpenaiSettings,
  openaiCompatibleSettings,
  openaiSettings,
} from '../../providers/openai/settings.ts';
import { cacheOverrides } from './cache.ts';
import { sticky, when } from './conditions.ts';
import { modelOverrides, providerOverrides } from './resilience.ts';
import { choice, group, note, whole } from './setting.ts';

const STRATEGIES = ['fallback', 'weighted', 'latency', 'cost', 'least-busy'] as const;
const TARGETS_MAX = 32;
const PRICE_MAX_USD = 1_000_000;
const PRICE_DECIMALS = 6;
const CAPABILITIES = ['tools', 'vision', 'json_schema', 'reasoning'] as const;

const NAME_FORM = 'letters, digits, `.`, `_` and `-`, up to 64, beginning with a letter or digit';

const name = (what: string, pattern: RegExp, accepts: string) =>
  note(z.string().regex(pattern), { accepts: `a ${what}: ${accepts}` });

const MODEL_NAME = /^[\x21-\x7e]{1,256}$/;
const MODEL_NAME_FORM = 'printable ASCII without spaces, up to 256 characters';

const modelName = z.string().regex(MODEL_NAME);

const provider = z.discriminatedUnion('kind', [
  openaiSettings.extend(providerOverrides).strict(),
  openaiCompatibleSettings.extend(providerOverrides).strict(),
  azureOpenaiSettings.extend(providerOverrides).strict(),
  anthropicSettings.extend(providerOverrides).strict(),
  geminiSettings.extend(providerOverrides).strict(),
  ollamaSettings.extend(providerOverrides).strict(),
  mockSettings.extend(providerOverrides).strict(),
]);

const usd = (description: string) =>
  note(
    z
      .number()
      .check(z.gte(0), z.lte(PRICE_MAX_USD))
      .refine((value) => Number(value.toFixed(PRICE_DECIMALS)) === value),
    {
      description,
      unit: 'USD per million tokens',
      accepts: `a number from 0 to ${PRICE_MAX_USD} with at most ${PRICE_DECIMALS} decimals`,
    },
  );

const price = () =>
  note(
    group(
      {},
      {
        input_usd_per_million: usd('Price of input.'),
        cached_input_usd_per_million: note(usd('').optional(), {
          ...{ unit: 'USD per million tokens', accepts: 'as the price of input' },
          description: 'Price of input the provider served from its own cache; else that of input.',
        }),
        cache_write_usd_per_million: note(usd('').optional(), {
          ...{ unit: 'USD per million tokens', accepts: 'as the price of input' },
          description: 'Price of input written to that cache; else that of input.',
        }),
        output_usd_per_million: usd('Price of output.'),
      },
    ).optional(),
    { description: 'What a call costs; wins over the catalogue.' },
  );

const maxOutputTokens = () =>
  note(z.int().check(z.gte(1), z.lte(100_000_000)).optional(), {
    description: 'The most tokens one answer can have; wins over the catalogue.',
  });

const capabilities = () =>
  note(z.array(z.enum(CAPABILITIES)).check(z.maxLength(CAPABILITIES.length)).optional(), {
    description:
      'All that the model can do; a request that needs more is not sent there. Wins over the ' +
      'catalogue; where neither says anything, everything is sent.',
    accepts: `a list of ${CAPABILITIES.join(', ')}`,
  });

const target = group(
  {},
  {
    provider: note(z.string(), {
      description: 'The provider that answers.',
      accepts: 'a name under `providers`',
    }),
    model: note(modelName, {
      description: 'The model’s name at the provider.',
      accepts: MODEL_NAME_FORM,
    }),
    weight: note(z.number().check(z.gte(0), z.lte(1_000_000)).default(1), {
      description: 'The share of requests under the strategy `weighted`; 0: only as a stand-in.',
    }),
    price: price(),
    max_output_tokens: maxOutputTokens(),
    capabilities: capabilities(),
    when: when('Which requests the target takes; every member must hold.'),
  },
);

/** `name@version`; whether there is such a one is checked when all are known. */
const promptReference = (description: string) =>
  note(z.string().optional(), {
    description,
    accepts: 'a version of a prompt under `prompts`: `name@version`',
  });

const experiment = () =>
  note(
    group(
      {},
      {
        flag: note(z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/), {
          description: 'The flag that decides for each tenant, or each caller, who answers.',
          accepts: 'a name of a flag: lower-case letters, digits, `_`, `.` and `-`, up to 64',
        }),
        candidate: note(z.string().optional(), {
          description: 'Who answers where the flag is on; else the alias itself.',
          accepts: 'another alias under `models`, or `provider/model`',
        }),
        prompt: promptReference(
          'The prompt where the flag is on, in place of the candidate’s own.',
        ),
      },
    ).optional(),
    { description: 'A second way to answer, tried on a share of callers.' },
  );

const alias = group(
  {},
  {
    strategy: choice('fallback', STRATEGIES, {
      description:
        'Who is tried first: the first of the list (`fallback`), one drawn by weight, the ' +
        'quickest of two (`latency`), the cheapest for the request (`cost`), or the one with ' +
        'most places free (`least-busy`). The others follow where it fails.',
    }),
    sticky: sticky(),
    targets: note(z.array(target).check(z.minLength(1), z.maxLength(TARGETS_MAX)), {
      description: 'Who can answer.',
      accepts: `a list of 1 to ${TARGETS_MAX} targets`,
    }),
    price: price(),
    max_output_tokens: maxOutputTokens(),
    when: when('Which requests any of the targets takes; holds beside their own.'),
    prompt: promptReference(
      'What models are told before a client’s own messages, in every chat of the alias.',
    ),
    experiment: experiment(),
    cache: cacheOverrides,
    ...modelOverrides,
  },
);

const providerName = name('provider name', /^[A-Za-z0-9][\w.-]{0,63}$/, NAME_FORM);
const aliasName = name(
  'model alias',
  /^[A-Za-z0-9][\w.:-]{0,127}$/,
  'letters, digits, `.`, `:`, `_` and `-`, up to 128, beginning with a letter or digit',
);
const roleName = name('role name', /^[A-Za-z0-9][\w.-]{0,63}$/, NAME_FORM);

export const providersMap = note(z.record(providerName, provider), {
  apply: 'live',
  key: 'name',
  description:
    'Who serves models. Where the file does not name any, every vendor of the catalogue whose ' +
    'key is in the environment exists under its own name; outside production a mock does too.',
});

export const modelsMap = note(z.record(aliasName, alias), {
  apply: 'live',
  key: 'alias',
  description: 'The names clients ask for, beside `provider/model`.',
});

const PROMPT_MAX_CHARS = 65_536;

export const promptsMap = note(
  z.record(
    name('prompt name', /^[A-Za-z0-9][\w.-]{0,63}$/, NAME_FORM),
    note(
      z.record(
        name('version', /^[A-Za-z0-9][\w.-]{0,31}$/, NAME_FORM.replace('64', '32')),
        note(z.string().check(z.minLength(1), z.maxLength(PROMPT_MAX_CHARS)), {
          accepts: `a text of 1 to ${PROMPT_MAX_CHARS} characters`,
        }),
      ),
      { key: 'version', description: 'The text of each version.' },
    ),
  ),
  {
    apply: 'live',
    key: 'prompt',
    description:
      'What models are told before clients speak, in versions: an alias names one of them as ' +
      '`name@version`, and an experiment may try another on a share of callers.',
  },
);

export const rolesMap = note(
  z.record(roleName, note(z.string(), { accepts: 'an alias under `models`, or `provider/model`' })),
  {
    apply: 'live',
    key: 'role',
    description:
      'Which model an application uses for what: an alias, or `provider/model`. Clients ask for ' +
      '`role/<name>`.',
  },
);

const anyName = name('model name', MODEL_NAME, MODEL_NAME_FORM);

export const retiredMap = note(
  z.record(anyName, note(z.string(), { accepts: 'an alias under `models`, or `provider/model`' })),
  {
    apply: 'live',
    key: 'name',
    description:
      'Names that clients still ask for, and the alias or `provider/model` that answers in their ' +
      'place. They are not listed.',
  },
);

export const routingGroup = group(
  { apply: 'live', description: 'How targets are chosen.' },
  {
    latency_decay_seconds: whole(
      10,
      { min: 1, max: 3600 },
      {
        description:
          'How soon the strategy `latency` forgets: after this long without a call a time counts ' +
          'for little more than a third.',
      },
    ),
  },
);
