/** `esclusa models list` */
import { createTargetResolver, type ResolvedTarget } from '../../config/index.ts';
import { type VerbContext, writeJson, writeLine } from '../context.ts';
import { writeTable } from '../table.ts';

const PICOUSD_PER_TOKEN_AT_ONE_USD_PER_MILLION = 1_000_000;

interface ModelRow {
  readonly id: string;
  readonly targets: readonly ResolvedTarget[];
}

export async function run(context: VerbContext): Promise<undefined> {
  const rows = await modelRows(context);
  if (context.isJson) {
    writeJson(context, { data: rows.map(toJson), next: null });
    return;
  }
  if (rows.length === 0) {
    writeLine(context, context.say.none);
    return;
  }
  const { columns } = context.say;
  writeTable(
    context.terminal,
    [
      { title: columns.model, value: ({ id }) => id },
      { title: columns.targets, value: ({ targets }) => targets.map(({ id }) => id).join(' → ') },
      { title: columns.operations, value: (row) => operationsOf(row).join(',') },
      { title: columns.inputPrice, value: priceRange('inputPicousd'), align: 'right' },
      { title: columns.outputPrice, value: priceRange('outputPicousd'), align: 'right' },
    ],
    rows,
  );
}

/** Aliases in the order of the file, then what the catalogue knows of each provider. */
async function modelRows(context: VerbContext): Promise<readonly ModelRow[]> {
  const { loaded, catalogue } = await context.installation.configuration();
  const { config } = loaded;
  const resolver = createTargetResolver(config, catalogue);
  const nowMs = context.nowMs();
  const aliases = Object.keys(config.models).map((id) => ({
    id,
    targets: resolver.alias(id, nowMs) ?? [],
  }));
  const direct = Object.values(config.providers).flatMap(({ name, vendor }) =>
    (vendor === null ? [] : catalogue.list(vendor, nowMs)).map(({ model }) => {
      const target = resolver.direct(name, model, nowMs);
      return { id: `${name}/${model}`, targets: target === null ? [] : [target] };
    }),
  );
  return [...aliases, ...direct];
}

function operationsOf({ targets }: ModelRow): readonly string[] {
  return [...new Set(targets.flatMap(({ operations }) => operations))];
}

function priceRange(member: 'inputPicousd' | 'outputPicousd') {
  return ({ targets }: ModelRow): string => {
    const prices = targets.map(({ price }) => (price === null ? null : price[member]));
    const known = prices.filter((price) => price !== null).map(usdPerMillion);
    if (known.length === 0) return '?';
    const [low, high] = [Math.min(...known), Math.max(...known)];
    const range = low === high ? `${low}` : `${low}–${high}`;
    return known.length < prices.length ? `${range} ?` : range;
  };
}

function toJson({ id, targets }: ModelRow) {
  return {
    id,
    targets: targets.map((target) => ({
      id: target.id,
      weight: target.weight,
      operations: target.operations,
      max_output_tokens: target.maxOutputTokens,
      price:
        target.price === null
          ? null
          : {
              id: target.price.id,
              input_usd_per_million: usdPerMillion(target.price.inputPicousd),
              cached_input_usd_per_million: usdPerMillion(target.price.cachedInputPicousd),
              output_usd_per_million: usdPerMillion(target.price.outputPicousd),
            },
    })),
  };
}

function usdPerMillion(picousdPerToken: number): number {
  return picousdPerToken / PICOUSD_PER_TOKEN_AT_ONE_USD_PER_MILLION;
}
