/**
 * What a check works with, and how it reports.
 */
import type { Catalogue } from '../catalogue.ts';
import type { Problem } from '../problem.ts';
import type { Settings } from '../schema/file.ts';
import type { Path } from '../schema/walk.ts';
import type { Environment, EnvironmentReading } from '../source/environment.ts';
import type { Origin } from '../source/origin.ts';

export interface CheckInput {
  readonly settings: Settings;
  readonly catalogue: Catalogue;
  readonly environment: EnvironmentReading;
  readonly env: Environment;
  readonly origin: Origin;
  /** Names that exist, also those whose own settings are wrong. */
  readonly providerNames: readonly string[];
  readonly aliasNames: readonly string[];
  /** Settings that were taken out because they are wrong: nothing is concluded from them. */
  readonly broken: readonly Path[];
  readonly nowMs: number;
}

export interface Report {
  readonly problems: Problem[];
  readonly warnings: Problem[];
}

/** Adds a problem with a setting, at the place where it was written. */
export function refuse(report: Report, input: CheckInput, path: Path, message: string): void {
  if (isBroken(input, path)) return; // what is wrong with it was said already
  const { origin } = input;
  report.problems.push({ place: origin.placeOf(path), path, message });
}

export function warn(report: Report, { origin }: CheckInput, path: Path, message: string): void {
  report.warnings.push({ place: origin.placeOf(path), path, message });
}

function isBroken({ broken }: CheckInput, path: Path): boolean {
  return broken.some((above) => above.every((key, index) => path[index] === key));
}

export function refuseVariable(report: Report, name: string, message: string): void {
  report.problems.push({ place: { kind: 'environment', name }, path: [], message });
}

export function warnVariable(report: Report, name: string, message: string): void {
  report.warnings.push({ place: { kind: 'environment', name }, path: [], message });
}
