/**
 * The lists of models, for the reference: their ids may hold slashes, which a path of the
 * reference cannot say of the pattern that serves them.
 */
import { z } from 'zod';
import type { DocumentedRoute } from '../document.ts';

const PREFIXES = ['/v1', '/v1beta'] as const;
const tags = ['models (every dialect)'];
const shape = 'in the shape of the dialect that asks';

const id = z.string().describe('An alias of the configuration, or `provider/model`.');
const list = z.looseObject({
  data: z.array(z.looseObject({ id: z.string() })).optional(),
  models: z.array(z.looseObject({ name: z.string() })).optional(),
});

/** Each dialect's error says more; this is what all have. */
const refusal = z.looseObject({ error: z.looseObject({ message: z.string() }) });

export const MODELS_REFERENCE: readonly DocumentedRoute[] = PREFIXES.flatMap((prefix) => [
  {
    method: 'GET',
    url: `${prefix}/models`,
    schema: {
      tags,
      summary: `List the models that the calling key may ask for, ${shape}`,
      response: { 200: list, default: refusal },
    },
  },
  {
    method: 'GET',
    url: `${prefix}/models/:id`,
    schema: {
      tags,
      summary: `Read one of them, ${shape}`,
      params: z.object({ id }),
      response: { 200: z.looseObject({}), default: refusal },
    },
  },
]);
