/**
 * What the checks at start found, as a person reads it: one line for each that did not pass, and
 * the sums.
 */
import type { VerbContext } from './context.ts';

type Summary = NonNullable<Parameters<typeof startupFrame>[1]>;

interface Result {
  readonly name: string;
  readonly status: 'pass' | 'fail' | 'warning';
  readonly message?: string | undefined;
}

const MARKS = { pass: '✓', warning: '!', fail: '✗' } as const;
const COLOURS = { pass: 'green', warning: 'yellow', fail: 'red' } as const;
const WIDTH = 72;

/** The whole text, line feeds included. */
export function startupFrame(
  { say, terminal }: Pick<VerbContext, 'say' | 'terminal'>,
  summary: {
    readonly total_duration_ms: number;
    readonly total_checks: number;
    readonly passed: number;
    readonly warnings: number;
    readonly critical_failures: number;
    readonly results: readonly Result[];
  },
): string {
  const line = '─'.repeat(WIDTH);
  const found = summary.results
    .filter(({ status }) => status !== 'pass')
    .map(({ name, status, message = '' }) => {
      const mark = terminal.style(COLOURS[status], MARKS[status]);
      return `│ ${mark} ${name}: ${message}`;
    });
  const rows = [
    `┌${line}`,
    `│ ${say.startup.title}`,
    ...found,
    `│ ${sums(say, summary)}`,
    `└${line}`,
  ];
  return rows.map((row) => `${row}\n`).join('');
}

function sums({ startup }: VerbContext['say'], summary: Summary): string {
  const { total_checks: total, passed, warnings, critical_failures: failures } = summary;
  return startup.sums({ total, passed, warnings, failures }, Math.round(summary.total_duration_ms));
}
