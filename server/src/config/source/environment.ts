/**
 * The environment as the configuration sees it: values for settings of the file, values of the
 * names only the environment has, and what is wrong with either.
 *
 * An empty variable counts as not set. An unknown name with our prefix is a problem, except for
 * the names by which Kubernetes describes a service to its neighbours (`ESCLUSA_SERVICE_HOST`,
 * `ESCLUSA_PORT=tcp://…`): they come and go with the cluster, not with the operator.
 */
import type { z } from 'zod';
import type { Problem } from '../problem.ts';
import { redactUrl } from '../redact.ts';
import { type EnvironmentOnly, environmentOnly } from '../schema/environment.ts';
import type { Listing } from '../schema/list.ts';
import { acceptedBy, bare, type Path, valuesOf } from '../schema/walk.ts';
import { parseText } from './parse-text.ts';
import { hint } from './suggest.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Override {
  readonly name: string;
  readonly path: Path;
  readonly value: unknown;
}

export interface EnvironmentReading {
  readonly overrides: readonly Override[];
  /** The names only the environment has, those that are set and well formed. */
  readonly only: ReadonlyMap<EnvironmentOnly, unknown>;
  readonly problems: readonly Problem[];
  /** Names with our prefix that we do not know. */
  readonly unknown: readonly Problem[];
}

const PREFIX = 'ESCLUSA_';
const SERVICE_LINK = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_[A-Z]+(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_LINK_VALUE = /^(tcp|udp|sctp):\/\//;

/** Reads every name we know, in the order of the schema; never throws. */
export function readEnvironment(env: Environment, listing: Listing): EnvironmentReading {
  const problems: Problem[] = [];
  const overrides: Override[] = [];
  const known = new Set<string>(Object.keys(environmentOnly));

  for (const { path, schema, meta } of listing.settings) {
    const names = meta.env ?? [];
    for (const name of names) known.add(name);
    const name = names.find((candidate) => textOf(env, candidate) !== undefined);
    if (name === undefined) continue;
    const value = parseText(schema, textOf(env, name) ?? '');
    if (value === undefined) problems.push(notAccepted(env, name, schema));
    else if (!(meta.killSwitch === true && value === true)) overrides.push({ name, path, value });
  }
  const only = readOnly(env, problems);
  return { overrides, only, problems, unknown: unknownNames(env, [...known]) };
}

/** The trimmed text of a variable; undefined where it is unset, empty, or a service link. */
export function textOf(env: Environment, name: string): string | undefined {
  const text = env[name]?.trim();
  if (text === undefined || text === '') return undefined;
  return name.endsWith('_PORT') && SERVICE_LINK_VALUE.test(text) ? undefined : text;
}

/** Words a problem with a variable's value, without the value where it is a secret. */
export function notAccepted(env: Environment, name: string, schema: z.core.$ZodType): Problem {
  const text = textOf(env, name) ?? '';
  const secret = bare(schema).meta.secret === true;
  const shown = secret ? 'the value' : redactUrl(JSON.stringify(text));
  const help = secret ? '' : hint(text, valuesOf(schema));
  const message = `${shown} is not accepted${help}; accepted: ${acceptedBy(schema)}`;
  return { place: { kind: 'environment', name }, path: [], message };
}

function readOnly(env: Environment, problems: Problem[]): Map<EnvironmentOnly, unknown> {
  const only = new Map<EnvironmentOnly, unknown>();
  for (const name of Object.keys(environmentOnly) as EnvironmentOnly[]) {
    const text = textOf(env, name);
    if (text === undefined) continue;
    const schema = environmentOnly[name];
    const result = schema.safeParse(parseText(schema, text) ?? Number.NaN);
    if (result.success) only.set(name, result.data);
    else problems.push(notAccepted(env, name, schema));
  }
  return only;
}

function unknownNames(env: Environment, known: readonly string[]): Problem[] {
  const ours = known.filter((name) => name.startsWith(PREFIX));
  return Object.keys(env)
    .filter((name) => name.startsWith(PREFIX) && !known.includes(name))
    .filter((name) => !isServiceLink(name, env[name] ?? ''))
    .map((name) => ({
      place: { kind: 'environment', name },
      path: [],
      message: `is not a name we know${hint(name, ours)}; known: ${ours.sort().join(', ')}`,
    }));
}

function isServiceLink(name: string, value: string): boolean {
  return SERVICE_LINK.test(name) || (name.endsWith('_PORT') && SERVICE_LINK_VALUE.test(value));
}
