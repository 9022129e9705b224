/**
 * Names of models to the targets that can answer, for the generation of the configuration in
 * force. Answered from memory.
 */
import type { ModelListing, Route } from '../model/route.ts';

export interface Routes {
  /** Number of the configuration's generation. */
  readonly generation: number;
  resolve(model: string): Route | undefined;
  /** Every alias, then every model of the catalogue behind a configured provider. */
  list(): readonly ModelListing[];
}
