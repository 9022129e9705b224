/**
 * Feature flags as the control plane shows and changes them: on or off, for a stable share of
 * tenants or callers, with a plan that raises the share step by step where there is one.
 */
import { z } from 'zod';
import { listSchema, slugSchema, timestampSchema } from './common.ts';

const PERCENT_MAX = 100;
const TENANTS_MAX = 200;
const STEPS_MAX = 20;
const SECONDS_MAX = 31_536_000;
const SAMPLES_MAX = 1_000_000;

export const flagNameSchema = z.string().regex(/^[a-z][a-z0-9_.-]{0,63}$/, {
  error: 'Expected lower-case letters, digits, `_`, `.` and `-`, up to 64, first a letter.',
});

/** What a share is counted in. Flags of the whole process always go by `process`. */
export const flagBySchema = z.enum(['tenant', 'user', 'process']);

const percentage = z.int().min(0).max(PERCENT_MAX);

export const flagPathSchema = z.object({ name: flagNameSchema });

export const flagUpdateSchema = z.strictObject({
  enabled: z.boolean().optional(),
  /** The share for which it is on while it is enabled. A larger share contains a smaller one. */
  percentage: percentage.optional(),
  by: z.enum(['tenant', 'user']).optional(),
  /** Tenants for whom it is on whatever the share, while it is enabled. */
  tenants: z.array(slugSchema).max(TENANTS_MAX).optional(),
});

export const rolloutStepSchema = z.strictObject({
  percentage: percentage.min(1),
  /** How long a step is watched at least. */
  soak_seconds: z.number().min(0).max(SECONDS_MAX),
  /** Exchanges of the new arm that a step needs; 0: it goes by time alone. */
  min_samples: z.int().min(0).max(SAMPLES_MAX),
});

/** By how much the new arm may be worse than the old one; null: it is not looked at. */
export const rolloutGuardsSchema = z.strictObject({
  /** Share of failed exchanges, in addition to that of the old arm: 0.02. */
  error_rate: z.number().min(0).max(1).nullable().default(0.02),
  /** The 95th percentile of durations, in multiples of the old arm's. */
  latency_ratio: z.number().min(1).max(1000).nullable().default(1.5),
  /** The mean cost, in multiples of the old arm's. */
  cost_ratio: z.number().min(1).max(1000).nullable().default(null),
});

const rising = (steps: readonly { readonly percentage: number }[]): boolean =>
  steps.every(({ percentage: own }, at) => own > (steps[at - 1]?.percentage ?? 0));

export const rolloutPlanSchema = z.strictObject({
  steps: z
    .array(rolloutStepSchema)
    .min(1)
    .max(STEPS_MAX)
    .refine(rising, 'Each step must be larger than the one before.'),
  guards: rolloutGuardsSchema.prefault({}),
});

export const armFiguresSchema = z.object({
  samples: z.int(),
  failures: z.int(),
  p95_ms: z.number().nullable(),
  /** Between these the 95th percentile lies, as far as so many samples can tell. */
  p95_low_ms: z.number().nullable(),
  p95_high_ms: z.number().nullable(),
  mean_cost_nanousd: z.number().nullable(),
});

export const rolloutSchema = rolloutPlanSchema.extend({
  status: z.enum(['running', 'completed', 'rolled_back', 'cancelled']),
  /** The step at which it is or was, from 0. */
  step: z.int(),
  step_since: timestampSchema,
  /** What the last decision was made for: `error_rate`. */
  reason: z.string().nullable(),
  /** What it was made on; null before the first. */
  candidate: armFiguresSchema.nullable(),
  control: armFiguresSchema.nullable(),
});

export const flagSchema = z.object({
  name: z.string(),
  description: z.string().nullable(),
  enabled: z.boolean(),
  percentage: z.int(),
  by: flagBySchema,
  tenants: z.array(z.string()),
  /** What it is where nobody changed it. */
  default: z.boolean(),
  /** Whether somebody changed it. */
  is_stored: z.boolean(),
  /** The variable or setting that forces it off; null: none. */
  forced_off_by: z.string().nullable(),
  updated_at: timestampSchema.nullable(),
  updated_by: z.string().nullable(),
  rollout: rolloutSchema.nullable(),
});

export const flagListSchema = listSchema(flagSchema);

export const flagQuestionSchema = z.strictObject({
  tenant: slugSchema,
  /** The identifier of a key or a person: `key_…`, `usr_…`. */
  user: z.string().min(1).max(100).optional(),
});

export const flagAnswerSchema = z.object({
  name: z.string(),
  value: z.boolean(),
  variant: z.string().nullable(),
  /** As OpenFeature names it: STATIC, SPLIT, TARGETING_MATCH, DISABLED. */
  reason: z.string(),
});

export type Flag = z.infer<typeof flagSchema>;
export type FlagUpdate = z.infer<typeof flagUpdateSchema>;
export type FlagQuestion = z.infer<typeof flagQuestionSchema>;
export type FlagAnswer = z.infer<typeof flagAnswerSchema>;
export type RolloutPlan = z.infer<typeof rolloutPlanSchema>;
export type Rollout = z.infer<typeof rolloutSchema>;
