/**
 * The words in which a configuration says which requests a target takes, and which keep to one
 * target. Names that are not here are refused at load: a condition that was misspelt must not
 * hold for everything.
 */
import { z } from 'zod';
import { group, note } from './setting.ts';

const TEXTS_MAX = 100;
const TEXT_LENGTH_MAX = 512;
const LABELS_MAX = 20;
const TOKENS_MAX = 100_000_000;
const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

const OPERATIONS = ['chat', 'completion', 'embedding', 'count_tokens'] as const;

/** Headers that hold a secret are nothing to compare in a file. */
export const SECRET_HEADERS: readonly string[] = [
  'authorization',
  'proxy-authorization',
  'cookie',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
];

const HEADER_NAME = /^[a-z0-9-]{1,64}$/;
const METADATA_NAME = /^[\x21-\x7e]{1,64}$/;

const text = z.string().check(z.minLength(1), z.maxLength(TEXT_LENGTH_MAX));

/** One text or several, of which any will do. */
const oneOf = <T extends z.ZodType>(item: T) =>
  z.union([item, z.array(item).check(z.minLength(1), z.maxLength(TEXTS_MAX))]);

const texts = <T extends z.ZodType>(item: T, description: string, accepts: string) =>
  note(oneOf(item).optional(), { description, accepts: `${accepts}, or a list of them` });

const labels = (pattern: RegExp, description: string, accepts: string) =>
  note(
    z
      .record(z.string().regex(pattern), oneOf(text))
      .refine((map) => Object.keys(map).length <= LABELS_MAX)
      .optional(),
    { description, accepts, key: 'name' },
  );

const trait = (description: string) => note(z.boolean().optional(), { description });

const tokens = (description: string) =>
  note(z.int().check(z.gte(0), z.lte(TOKENS_MAX)).optional(), { description });

export const when = (description: string) =>
  note(
    group(
      {},
      {
        tenant: texts(z.string().regex(SLUG), 'Tenant of the key.', 'a tenant’s slug'),
        key: texts(text, 'Identifier of the key.', 'an identifier such as `key_01JD…`'),
        user: texts(text, 'End user that the body names in `user`.', 'text'),
        operation: texts(
          z.enum(OPERATIONS),
          'What is asked for.',
          `one of ${OPERATIONS.join(', ')}`,
        ),
        header: labels(
          HEADER_NAME,
          'Headers of the request, each with its value.',
          `a mapping of at most ${LABELS_MAX} names in lower case to a text or a list of texts`,
        ),
        metadata: labels(
          METADATA_NAME,
          'Members of the body’s `metadata`, each with its value.',
          `a mapping of at most ${LABELS_MAX} names to a text or a list of texts`,
        ),
        stream: trait('Whether a stream is asked for.'),
        has_tools: trait('Whether tools are offered.'),
        has_images: trait('Whether there are images in the messages.'),
        has_files: trait('Whether there are files in the messages.'),
        has_json_schema: trait('Whether an answer of a given JSON Schema is asked for.'),
        min_input_tokens: tokens('Fewest tokens of input, as estimated from its bytes.'),
        max_input_tokens: tokens('Most tokens of input, as estimated from its bytes.'),
      },
    ).optional(),
    { description },
  );

const STICKY = /^(?:tenant|key|user|header\.[a-z0-9-]{1,64}|metadata\.[\x21-\x7e]{1,64})$/;

export const sticky = () =>
  note(z.string().regex(STICKY).optional(), {
    description:
      'Under the strategy `weighted`: requests with the same value here keep to the same target.',
    accepts: '`tenant`, `key`, `user`, `header.<name>` or `metadata.<name>`, in lower case',
  });
