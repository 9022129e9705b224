/**
 * What a person reads when the gateway is up: where it is, what the configuration has that
 * deserves a look, and, on the first start, the key and the sign-in that are never shown again.
 */

import { type Problem, showProblem } from '../config/index.ts';
import type { FirstAdmin } from '../identity/index.ts';
import type { VerbContext } from './context.ts';

export interface BannerFacts {
  readonly url: string;
  readonly workers: number;
  /** Whether the environment has an administrator's key, and nobody who signs in by name. */
  readonly administeredBy: 'key' | 'key_and_sign_in' | null;
  readonly warnings: readonly Problem[];
  /** null: not the first start. */
  readonly firstKey: string | null;
  /** Who can sign in since the first start. */
  readonly firstAdmin: FirstAdmin | null;
  /** A line that works as it stands; null: there is no key, or no model to ask. */
  readonly curl: string | null;
}

/** The whole text, line feeds included. */
export function banner(
  { say, terminal }: Pick<VerbContext, 'say' | 'terminal'>,
  { url, workers, administeredBy, warnings, firstKey, firstAdmin, curl }: BannerFacts,
): string {
  const lines = [terminal.style('bold', say.start.ready(url)), say.start.docs(url)];
  if (workers > 1) lines.push(say.start.workers(workers));
  if (administeredBy !== null) lines.push(say.start.administered[administeredBy]);
  for (const warning of warnings) {
    lines.push(terminal.style('yellow', `! ${showProblem(warning)}`));
  }
  if (firstKey !== null) {
    lines.push('', say.start.firstKey, `  ${terminal.style('bold', firstKey)}`);
  }
  if (firstAdmin !== null) {
    const { email, password } = firstAdmin;
    const told = password === null ? email : `${email}  ${password}`;
    lines.push('', say.start.firstAdmin, `  ${terminal.style('bold', told)}`);
  }
  if (curl !== null) lines.push('', say.start.tryIt, `  ${curl}`);
  if (firstKey !== null || firstAdmin !== null) lines.push('');
  return lines.map((line) => `${line}\n`).join('');
}
