/** `esclusa usage` */
import type { UsageReportRow, Workspace } from '../../app/workspace.ts';
import type { LedgerFilter, UsageDimension } from '../../gateway/index.ts';
import {
  badOption,
  numberOption,
  textOption,
  type VerbContext,
  writeJson,
  writeLine,
} from '../context.ts';
import { filterOf } from '../filters.ts';
import { formatCount, formatUsd } from '../format.ts';
import { type Column, writeTable } from '../table.ts';

const DIMENSIONS = ['model', 'provider', 'key', 'tenant', 'day'] as const;
const NAMED_KEYS_MAX = 1000;

interface Line extends UsageReportRow {
  readonly isTotal: boolean;
}

/** Names of keys by their identifiers. */
type KeyNames = ReadonlyMap<string, string>;

export async function run(context: VerbContext): Promise<undefined> {
  const by = dimensionsOf(context);
  const filter = filterOf(context);
  const limit = numberOption(context, 'limit', { min: 1, max: 1000 }) ?? 200;
  const isTable = !context.isJson;
  const { rows, keyNames } = await context.installation.use(async (workspace) => ({
    rows: await workspace.usage(filter, by, limit),
    keyNames: by.includes('key') && isTable ? await namesOfKeys(workspace) : null,
  }));
  if (context.isJson) {
    writeJson(context, {
      by,
      since: instant(filter.sinceMs),
      until: instant(filter.untilMs),
      data: rows,
    });
  } else if (rows.length === 0) {
    writeLine(context, context.say.none);
  } else {
    const lines = inOrder(rows, by).map((row) => ({ ...row, isTotal: false }));
    writeTable(context.terminal, columnsOf(context, by, keyNames), [...lines, totalOf(rows)]);
  }
}

function dimensionsOf(context: VerbContext): readonly UsageDimension[] {
  const names = (textOption(context, 'by') ?? 'model').split(',').map((name) => name.trim());
  const known = DIMENSIONS.filter((dimension) => names.includes(dimension));
  if (known.length !== names.length) {
    throw badOption(context, 'by', context.say.usage.badChoice(DIMENSIONS.join(', ')));
  }
  return names.flatMap((name) => known.filter((dimension) => dimension === name));
}

function instant(ms: LedgerFilter['sinceMs']): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

/** People follow days in their order; everything else comes dearest first. */
function inOrder(
  rows: readonly UsageReportRow[],
  by: readonly UsageDimension[],
): readonly UsageReportRow[] {
  if (!by.includes('day')) return rows;
  return rows.toSorted((a, b) => ((a.group.day ?? '') < (b.group.day ?? '') ? -1 : 1));
}

async function namesOfKeys(workspace: Workspace): Promise<KeyNames> {
  const keys = await workspace.listKeys({ limit: NAMED_KEYS_MAX, beforeId: null }, undefined);
  return new Map(keys.map(({ id, name }) => [id, name]));
}

function columnsOf(
  context: VerbContext,
  by: readonly UsageDimension[],
  keyNames: KeyNames | null,
): readonly Column<Line>[] {
  const { columns, total } = context.say;
  const group = by.map((dimension, at) => ({
    title: columns[dimension],
    value(line: Line): string {
      if (line.isTotal) return at === 0 ? total : '';
      const text = line.group[dimension] || '–';
      return dimension === 'key' ? (keyNames?.get(text) ?? text) : text;
    },
  }));
  const counted = (title: string, figure: (line: Line) => number): Column<Line> => ({
    title,
    value: (line) => formatCount(figure(line), context.language),
    align: 'right',
  });
  return [
    ...group,
    counted(columns.requests, (line) => line.requests),
    counted(columns.failed, (line) => line.failed),
    counted(columns.cached, (line) => line.cache_hits),
    counted(columns.input, (line) => line.input_tokens),
    counted(columns.output, (line) => line.output_tokens),
    { title: columns.cost, value: (line) => formatUsd(line.cost_nanousd), align: 'right' },
    counted(columns.unpriced, (line) => line.unpriced),
  ];
}

function totalOf(rows: readonly UsageReportRow[]): Line {
  const sum = (figure: (row: UsageReportRow) => number): number =>
    rows.reduce((total, row) => total + figure(row), 0);
  return {
    isTotal: true,
    group: {},
    requests: sum((row) => row.requests),
    failed: sum((row) => row.failed),
    cache_hits: sum((row) => row.cache_hits),
    input_tokens: sum((row) => row.input_tokens),
    cached_input_tokens: sum((row) => row.cached_input_tokens),
    output_tokens: sum((row) => row.output_tokens),
    cost_nanousd: sum((row) => row.cost_nanousd),
    cost_usd: '',
    unpriced: sum((row) => row.unpriced),
  };
}
