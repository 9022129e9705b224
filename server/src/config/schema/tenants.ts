/**
 * What tenants may use: limits and budgets of a whole tenant and of single models within it,
 * and its weight where tenants compete.
 */
import { z } from 'zod';
import { nanousdFromDecimal } from '../../kernel/money.ts';
import { choice, flag, group, note } from './setting.ts';

const LIMIT_MAX = 1_000_000_000;

const limit = (description: string) =>
  note(z.int().check(z.gte(1), z.lte(LIMIT_MAX)).optional(), {
    description,
    accepts: `a whole number from 1 to ${LIMIT_MAX}`,
  });

const limits = () =>
  group(
    { description: 'What is left out is not limited.' },
    {
      requests_per_minute: limit('Requests in a minute.'),
      tokens_per_minute: limit('Tokens in a minute, of requests and answers.'),
      concurrency: limit('Requests that run at once.'),
    },
  ).prefault({});

const budget = () =>
  note(
    group(
      {},
      {
        limit_usd: note(
          z.string().refine((text) => (nanousdFromDecimal(text) ?? 0) > 0),
          {
            description: 'What may be spent in a period.',
            accepts: 'dollars as a decimal text such as "1.50"',
          },
        ),
        period: choice('month', ['day', 'month', 'total'], {
          description: 'When it renews, in UTC; `total` never does.',
        }),
        soft: flag(false, {
          description: 'A used-up budget warns and refuses nothing.',
        }),
      },
    ).optional(),
    { description: 'What may be spent.' },
  );

const modelName = note(z.string().regex(/^[\x21-\x7e]{1,256}$/), {
  accepts: 'a model as clients ask for it: an alias, or `provider/model`',
});

const slug = note(z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/), {
  accepts: 'the slug of a tenant',
});

const tenant = group(
  {},
  {
    weight: note(z.number().check(z.gte(0.01), z.lte(1000)).default(1), {
      description:
        'Its share where requests of several tenants wait for a place (`http.max_in_flight`).',
      accepts: 'a number from 0.01 to 1000',
    }),
    limits: limits(),
    budget: budget(),
    models: note(
      z.record(modelName, group({}, { limits: limits(), budget: budget() })).default({}),
      { key: 'model', description: 'The same for single models within the tenant.' },
    ),
  },
);

export const tenantsMap = note(z.record(slug, tenant), {
  apply: 'live',
  key: 'tenant',
  description: 'What tenants may use as a whole, beside the limits and budgets of their keys.',
});
