/**
 * Names of models to the targets that can answer, for the generation of the configuration in
 * force. Answered from memory.
 */
import type { ModelListing, Route } from '../model/route.ts';
import type { Target } from '../model/target.ts';

export interface Routes {
  /** Number of the configuration's generation. */
  readonly generation: number;
  resolve(model: string): Route | undefined;
  /**
   * The route with only these of its targets, which share no cached answers with the others;
   * the same object where they are all.
   */
  narrow(route: Route, targets: readonly Target[]): Route;
  /** Every alias, then every model of the catalogue behind a configured provider. */
  list(): readonly ModelListing[];
}
