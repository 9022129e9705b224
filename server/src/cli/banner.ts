/**
 * What a person reads when the gateway is up: where it is, what the configuration has that
 * deserves a look, and, on the first start, the key that is never shown again.
 */
import { type Problem, showProblem } from '../config/index.ts';
import type { VerbContext } from './context.ts';

export interface BannerFacts {
  readonly url: string;
  readonly warnings: readonly Problem[];
  /** null: not the first start. */
  readonly firstKey: string | null;
  /** A line that works as it stands; null: there is no key, or no model to ask. */
  readonly curl: string | null;
}

/** The whole text, line feeds included. */
export function banner(
  { say, terminal }: Pick<VerbContext, 'say' | 'terminal'>,
  { url, warnings, firstKey, curl }: BannerFacts,
): string {
  const lines = [terminal.style('bold', say.start.ready(url)), say.start.docs(url)];
  for (const warning of warnings) {
    lines.push(terminal.style('yellow', `! ${showProblem(warning)}`));
  }
  if (firstKey !== null) {
    lines.push('', say.start.firstKey, `  ${terminal.style('bold', firstKey)}`);
    if (curl !== null) lines.push('', say.start.tryIt, `  ${curl}`);
    lines.push('');
  }
  return lines.map((line) => `${line}\n`).join('');
}
