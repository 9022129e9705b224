/**
 * Targets ready for routing: what the configuration says of a provider and a model, joined with
 * what the catalogue knows of it. The configuration wins.
 *
 * A price's identifier is derived from the provider, the model and its three figures, so that
 * the same price has the same row in every process and after every reload.
 */
import { createHash } from 'node:crypto';
import { type PicousdPerToken, priceFromUsdPerMillion } from '../kernel/money.ts';
import type { Catalogue } from './catalogue.ts';
import type { CatalogueModel, CatalogueOperation, Figures } from './catalogue-entries.ts';
import type { ModelManner } from './catalogue-manner.ts';
import type { Config, TargetConfig } from './config.ts';

const PRICE_ID_LENGTH = 12;
const ALL_OPERATIONS: readonly CatalogueOperation[] = ['chat', 'completion', 'embedding'];

export interface TargetPrice {
  readonly id: string;
  readonly inputPicousd: PicousdPerToken;
  readonly cachedInputPicousd: PicousdPerToken;
  readonly cacheWritePicousd?: PicousdPerToken;
  readonly outputPicousd: PicousdPerToken;
}

/** What routing needs of a target, in the shape of the gateway's `Target`. */
export interface ResolvedTarget extends Omit<TargetConfig, 'price'> {
  /** `provider/model` */
  readonly id: string;
  /** null: not known, booked as unpriced. */
  readonly price: TargetPrice | null;
  /** As configured, else the catalogue's; at most the model's context; null: not known. */
  readonly maxOutputTokens: number | null;
  readonly operations: readonly CatalogueOperation[];
  readonly manner?: ModelManner;
}

export interface TargetResolver {
  /** The targets of an alias in the order of the file; null where there is no such alias. */
  alias(name: string, atMs: number): readonly ResolvedTarget[] | null;
  /** A model asked for as `provider/model`; null where the provider is not configured. */
  direct(provider: string, model: string, atMs: number): ResolvedTarget | null;
  /** What the catalogue says of a model at a configured provider; null where it is silent. */
  known(provider: string, model: string, atMs: number): CatalogueModel | null;
}

/** Resolves names under one generation; cheap to make, keeps nothing between calls. */
export function createTargetResolver(config: Config, catalogue: Catalogue): TargetResolver {
  function known(provider: string, model: string, atMs: number): CatalogueModel | null {
    const vendor = config.providers[provider]?.vendor ?? null;
    return vendor === null ? null : catalogue.find(vendor, model, atMs);
  }

  function resolve(target: TargetConfig, atMs: number): ResolvedTarget {
    const entry = known(target.provider, target.model, atMs);
    const figures = target.price ?? entry?.figures ?? null;
    return {
      ...target,
      id: `${target.provider}/${target.model}`,
      price: figures === null ? null : priceOf(target.provider, target.model, figures),
      maxOutputTokens:
        target.maxOutputTokens ?? entry?.maxOutputTokens ?? entry?.contextTokens ?? null,
      operations: entry?.operations ?? ALL_OPERATIONS,
      ...capabilitiesOf(target, entry),
      ...(entry?.manner == null ? {} : { manner: entry.manner }),
    };
  }

  return {
    known,
    alias(name, atMs) {
      const model = config.models[name];
      return model === undefined ? null : model.targets.map((target) => resolve(target, atMs));
    },
    direct(provider, model, atMs) {
      const configured = config.providers[provider];
      if (configured === undefined) return null;
      const { timeouts, retry, maxConcurrency } = configured;
      const breaker = sharedBreaker(config, provider, model) ?? configured.breaker;
      const own = { provider, model, weight: 1, price: null, maxOutputTokens: null };
      return resolve({ ...own, timeouts, retry, breaker, maxConcurrency }, atMs);
    },
  };
}

/** A row without any says nothing: lists of prices come without them. */
function capabilitiesOf(
  target: TargetConfig,
  entry: CatalogueModel | null,
): Pick<ResolvedTarget, 'capabilities'> {
  const known = target.capabilities ?? entry?.capabilities ?? [];
  return target.capabilities === undefined && known.length === 0 ? {} : { capabilities: known };
}

/** A target's breaker is one, whichever name led to it: aliases say how it is set. */
function sharedBreaker(
  config: Config,
  provider: string,
  model: string,
): TargetConfig['breaker'] | null {
  for (const { targets } of Object.values(config.models)) {
    const same = targets.find((target) => target.provider === provider && target.model === model);
    if (same !== undefined) return same.breaker;
  }
  return null;
}

/** The price row of these figures; the same input gives the same identifier everywhere. */
export function priceOf(provider: string, model: string, figures: Figures): TargetPrice {
  const inputPicousd = priceFromUsdPerMillion(figures.inputUsdPerMillion);
  const cachedInputPicousd = priceFromUsdPerMillion(figures.cachedInputUsdPerMillion);
  const outputPicousd = priceFromUsdPerMillion(figures.outputUsdPerMillion);
  const { cacheWriteUsdPerMillion } = figures;
  const extra =
    cacheWriteUsdPerMillion === undefined
      ? {}
      : { cacheWritePicousd: priceFromUsdPerMillion(cacheWriteUsdPerMillion) };
  const all = [inputPicousd, cachedInputPicousd, outputPicousd, ...Object.values(extra)];
  const text = JSON.stringify([provider, model, ...all]);
  const digest = createHash('sha256').update(text).digest('hex').slice(0, PRICE_ID_LENGTH);
  return { id: `price_${digest}`, inputPicousd, cachedInputPicousd, ...extra, outputPicousd };
}
