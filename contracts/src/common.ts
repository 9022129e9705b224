/**
 * Pieces that every control-plane shape is made of: instants, names, amounts of money, pages
 * and the one error shape.
 *
 * Bodies and query strings are strict: a misspelt `limits` must be refused, because silently
 * ignored it would make a key without limits. Answers only ever hold what is listed.
 */
import { z } from 'zod';

/** An instant of an answer: `2026-11-20T11:02:03.004Z`. */
export const timestampSchema = z.iso.datetime();

/** An instant of a question: a date (its first moment, UTC) or a date with time and zone. */
export const instantSchema = z.union([z.iso.datetime({ offset: true }), z.iso.date()], {
  error: 'Expected a date such as 2026-11-20 or an instant such as 2026-11-20T09:00:00Z.',
});

/** Control characters, line separators and marks that reverse the direction of writing. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;

export const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .refine((text) => !UNPRINTABLE.test(text), 'Must not contain control characters.');

export const modelNameSchema = z
  .string()
  .min(1)
  .max(200)
  .refine((text) => !UNPRINTABLE.test(text), 'Must not contain control characters.');

/** Each is meant as it is written; what may ask for every model names none. */
export const allowedModelsSchema = z
  .array(modelNameSchema.refine((text) => !text.includes('*'), 'There are no wildcards in names.'))
  .min(1)
  .max(200);

export const idSchema = z.string().regex(/^[A-Za-z0-9_-]{1,100}$/, {
  error: 'Expected an identifier such as key_01JD0000000000000000000000.',
});

export const slugSchema = z.string().regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
  error:
    'Expected 1 to 63 lower-case letters, digits and hyphens, with a letter or digit at both ends.',
});

/** An integer of nano-dollars (10⁻⁹ USD). */
export const nanousdSchema = z.int().describe('Nano-dollars: 1 000 000 000 are one US dollar.');

/** How many rows a page may have; who asks for more gets as many as there are at most. */
export function limitSchema(max: number, usual: number) {
  return z.coerce
    .number()
    .int()
    .min(1)
    .transform((wanted) => Math.min(wanted, max))
    .default(usual)
    .describe(`At most ${max}; more are answered with ${max}.`);
}

export const pageQuery = {
  limit: limitSchema(200, 50),
  cursor: z.string().min(1).max(500).optional(),
};

/** One page of a list; `next` is the cursor of the following page, null on the last. */
export function listSchema<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), next: z.string().nullable() });
}

export const errorSchema = z.object({
  error: z.object({
    /** A code of the catalogue, stable. */
    code: z.string(),
    /** What was wrong, where, and what to do. */
    message: z.string(),
    /** The field, parameter or header at fault. */
    field: z.string().optional(),
    request_id: z.string(),
    /** Where the documentation explains the code, such as `docs/errors.md#conflict`. */
    docs: z.string(),
  }),
});

export type ErrorBody = z.infer<typeof errorSchema>;
