/**
 * Why a request would go where: what `POST /api/v1/route/explain` is asked and answers.
 */
import { z } from 'zod';
import { idSchema, modelNameSchema, nanousdSchema, slugSchema } from './common.ts';

const count = z.int().nonnegative();
const milliseconds = z.number().nonnegative();

/** A request in OpenAI's shape, of which only `model` is needed, and for whom it is asked. */
export const routeExplainSchema = z.looseObject({
  model: modelNameSchema,
  /** As the caller would in this tenant. */
  tenant: slugSchema.optional(),
  /** As this key would. */
  key_id: idSchema.optional(),
});

export const explainedTargetSchema = z.object({
  /** `provider/model`. */
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  /**
   * Why it stands here. `drawn` is one draw of many, the next request draws again;
   * `last_resort` should be left alone, and is all there is.
   */
  reason: z.enum(['only', 'last_resort', 'listed', 'drawn', 'sticky', 'latency', 'cost', 'load']),
  weight: z.number(),
  /** What the request will likely cost; null without a price. */
  expected_nanousd: nanousdSchema.nullable(),
  /** The most it can cost. */
  upper_bound_nanousd: nanousdSchema.nullable(),
  price_id: z.string().nullable(),
  /** To the first piece of an answer, as this process saw it; null: never called. */
  expected_ms: milliseconds.nullable(),
  /** Calls that wait for their first piece now. */
  waiting: count,
  /** The share of the provider’s places that are taken. */
  load: z.number().nonnegative(),
  timeouts: z.object({
    connect_ms: milliseconds,
    first_token_ms: milliseconds,
    idle_ms: milliseconds,
    total_ms: milliseconds,
  }),
});

export const explainedRejectionSchema = z.object({
  id: z.string(),
  provider: z.string(),
  model: z.string(),
  /**
   * `operation`, `condition`, `capability`, `unpriced`, `fallback_declined`, or why it cannot
   * be called now.
   */
  reason: z.string(),
  /** The member of the condition that does not hold, or what the model cannot do. */
  detail: z.string().nullable(),
  retry_after_ms: milliseconds.nullable(),
});

export const routeExplanationSchema = z.object({
  model: z.string(),
  tenant: z.string(),
  key_id: z.string(),
  config_generation: count,
  /** Figures of a process that serves; false: of the configuration alone. */
  live: z.boolean(),
  /** What the request would be refused with before anything is called; null: it would be called. */
  refusal: z
    .object({
      code: z.string(),
      status: z.int(),
      message: z.string(),
      retry_after_ms: milliseconds.nullable(),
    })
    .nullable(),
  /** null where the name leads nowhere. */
  route: z
    .object({
      /** The alias, or the `provider/model` where there is none. */
      name: z.string(),
      strategy: z.string(),
      /** As the configuration writes it: `metadata.session`. */
      sticky: z.string().nullable(),
      sticky_value: z.string().nullable(),
      /** Of an experiment: `flag/candidate` or `flag/control`; null: there is none. */
      arm: z.string().nullable(),
      /** What stands before the request: `name@version#digest`; null: nothing does. */
      prompt: z.string().nullable(),
    })
    .nullable(),
  /** Estimated. */
  input_tokens: count,
  output_tokens: count,
  /** What a budget would promise; null where a target has no price. */
  reserve_nanousd: nanousdSchema.nullable(),
  /** In the order in which they would be tried. */
  targets: z.array(explainedTargetSchema),
  rejected: z.array(explainedRejectionSchema),
  /** null where there is no route. */
  cache: z
    .object({
      usable: z.boolean(),
      /** Why it is not used. */
      detail: z.string().nullable(),
      /** A stored answer would be given. */
      lookup: z.boolean(),
      /** Digest under which the answer would be kept. */
      key: z.string().nullable(),
      ttl_seconds: z.number(),
      stale_if_error_seconds: z.number(),
    })
    .nullable(),
});

export type RouteExplain = z.infer<typeof routeExplainSchema>;
export type RouteExplanation = z.infer<typeof routeExplanationSchema>;
