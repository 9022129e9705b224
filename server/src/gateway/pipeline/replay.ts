/**
 * The replay stage: the place of `Idempotency-Key`, where a repeated request joins the one in
 * flight or gets its answer again. It has no store yet and lets every exchange pass.
 */
import type { Stage } from './stage.ts';

export function replay(): Stage {
  return { name: 'replay', codes: [], wrap: (next) => next };
}
