/**
 * Named fault points: places where a chaos run may fail, delay or crash the program. Outside
 * tests every point is off and costs one call of an empty function.
 */

export interface FaultPoints {
  /** Runs at the named point; may throw, or return a promise that delays the caller. */
  hit(point: string): void | Promise<void>;
}

export const noFaults: FaultPoints = { hit: () => undefined };
