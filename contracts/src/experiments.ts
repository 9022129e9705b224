/**
 * Experiments as the control plane shows them: two ways to answer an alias, of which a flag
 * chooses one for each caller, and how each does.
 */
import { z } from 'zod';
import { listSchema, timestampSchema } from './common.ts';
import { armFiguresSchema, flagSchema } from './flags.ts';

const HOURS_MAX = 720;

export const experimentQuerySchema = z.object({
  /** How far back the figures reach, in hours. */
  hours: z.coerce.number().int().min(1).max(HOURS_MAX).default(24),
});

export const experimentArmSchema = z.object({
  /** `provider/model`, in the order of the configuration. */
  targets: z.array(z.string()),
  /** What stands before what callers say: `name@version#digest`; null: nothing does. */
  prompt: z.string().nullable(),
  /** Of its newest exchanges since then, a bounded number of them; of all aliases of the flag. */
  figures: armFiguresSchema,
});

export const experimentSchema = z.object({
  /** The alias that clients ask for. */
  model: z.string(),
  flag: flagSchema,
  since: timestampSchema,
  control: experimentArmSchema,
  candidate: experimentArmSchema,
});

export const experimentListSchema = listSchema(experimentSchema);

export type Experiment = z.infer<typeof experimentSchema>;
