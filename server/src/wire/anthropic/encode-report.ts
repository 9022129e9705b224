/**
 * What encoding a canonical request meets that this wire cannot say: fields left out are noted,
 * fields that would be missed end it with an error that the caller makes.
 */

export interface EncodeReport {
  drop(path: string): void;
  /** Makes the error to throw. */
  refuse(path: string, message: string): Error;
  readonly dropped: readonly string[];
}

/** Makes the error for a field that cannot be honoured. */
export type Refuse = (path: string, message: string) => Error;

const MAX_PATHS = 16;

export function createEncodeReport(refuse: Refuse): EncodeReport {
  const dropped = new Set<string>();
  return {
    drop(path) {
      if (dropped.size < MAX_PATHS) dropped.add(path);
    },
    refuse,
    get dropped() {
      return [...dropped];
    },
  };
}
