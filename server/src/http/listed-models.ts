/**
 * The models a key is shown: those it may ask for, by each of their names.
 */
import type { ModelListing, Principal, Routes } from '../gateway/index.ts';

export function listedFor(
  { models }: Principal,
  routes: Pick<Routes, 'list'>,
): readonly ModelListing[] {
  const all = routes.list();
  if (models === null) return all;
  return all.filter(
    ({ name, answeredBy }) =>
      models.includes(name) || (answeredBy !== undefined && models.includes(answeredBy)),
  );
}
