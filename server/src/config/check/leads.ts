/**
 * Whether a name that stands for a model leads to one there is, and how people are told that
 * it does not.
 */
import type { Path } from '../schema/walk.ts';
import { hint } from '../source/suggest.ts';
import { type CheckInput, type Report, refuse } from './report.ts';

/** A name that stands for another must lead to a model at once, not by way of a third. */
export function checkLeads(input: CheckInput, report: Report, path: Path, model: string): void {
  const { aliasNames, providerNames } = input;
  const slash = model.indexOf('/');
  if (slash < 0 && !aliasNames.includes(model)) {
    refuse(report, input, path, notConfigured(model, 'a model alias', aliasNames));
  } else if (slash >= 0 && !providerNames.includes(model.slice(0, slash))) {
    refuse(report, input, path, unknownProvider(model.slice(0, slash), providerNames));
  } else if (slash === model.length - 1) {
    refuse(report, input, path, `${JSON.stringify(model)} names no model after the slash`);
  }
}

export function unknownProvider(name: string, known: readonly string[]): string {
  return notConfigured(name, 'a provider', known);
}

export function notConfigured(name: string, what: string, known: readonly string[]): string {
  const listed = known.length === 0 ? 'none' : known.join(', ');
  const shown = JSON.stringify(name);
  return `${shown} is not ${what}${hint(name, known)}; configured: ${listed}`;
}
