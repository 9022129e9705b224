/**
 * A report as text for the terminal and as files beside each other: JSON with every raw value,
 * Markdown with the tables. A later run of the same day replaces the files of an earlier one.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Report } from '../scenarios/scenario.ts';
import { VERDICT_COLUMNS, verdictRow } from './format.ts';
import { alignedTable, markdownTable } from './table.ts';

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

export function reportAsText(report: Report): string {
  const parts = [`${report.title}\n${report.method}`, alignedTable(report.table)];
  if (report.verdicts.length > 0) parts.push(alignedTable(verdicts(report)));
  const remarks = remarksOf(report);
  if (remarks.length > 0) parts.push(remarks.map((remark) => `! ${remark}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function reportAsMarkdown(report: Report): string {
  const { machine } = report;
  const parts = [
    `# ${report.title}`,
    `${report.date.slice(0, 10)}. ${report.method}.`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryMb} MB, ${machine.os}, Node.js ` +
      `${machine.node}; load before the run ${machine.loadBefore}.`,
    ...(report.quick ? ['A quick run: it shows that the benchmark works, not how fast.'] : []),
    markdownTable(report.table),
  ];
  if (report.verdicts.length > 0) parts.push(markdownTable(verdicts(report)));
  const remarks = remarksOf(report);
  if (remarks.length > 0) parts.push(remarks.map((remark) => `- ${remark}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

/** Writes both files and returns their name without the ending, relative to the results. */
export function writeReport(report: Report): string {
  mkdirSync(FOLDER, { recursive: true });
  const suffix = report.quick ? '-quick' : '';
  const name = `${report.date.slice(0, 10)}-${report.scenario}${suffix}`;
  writeFileSync(join(FOLDER, `${name}.json`), `${JSON.stringify(report, null, 2)}\n`);
  writeFileSync(join(FOLDER, `${name}.md`), reportAsMarkdown(report));
  return name;
}

function remarksOf({ failures, notes }: Report): readonly string[] {
  return [...failures.map((failure) => `Not measured: ${failure}`), ...notes];
}

function verdicts(report: Report) {
  return { columns: VERDICT_COLUMNS, rows: report.verdicts.map(verdictRow) };
}
