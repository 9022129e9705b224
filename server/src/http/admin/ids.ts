/**
 * Identifiers in paths. What cannot be one (control bytes, kilobytes of text) is treated as
 * one that is missing, without asking the database.
 */

export interface IdParams {
  Params: { id: string };
}

const PLAUSIBLE = /^[A-Za-z0-9_-]{1,100}$/;

export function isPlausibleId(id: string): boolean {
  return PLAUSIBLE.test(id);
}
