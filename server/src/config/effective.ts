/**
 * Which limits hold for one call: those of the service, overridden by the provider's, overridden
 * by the model's. Also where a setting that turned out wrong was last written.
 */
import type { Settings } from './schema/file.ts';
import type { Path } from './schema/walk.ts';

export type ProviderSettings = Settings['providers'][string];
export type ModelSettings = Settings['models'][string];

type Overridden = 'timeouts' | 'retry' | 'breaker';
type Merged<T extends Overridden> = Settings['resilience'][T];

/** One section of `resilience` as it holds for a provider, or for a model at a provider. */
export function sectionFor<T extends Overridden>(
  settings: Settings,
  section: T,
  provider?: ProviderSettings,
  model?: ModelSettings,
): Merged<T> {
  const layers = [settings.resilience[section], provider?.[section], model?.[section]];
  return Object.assign({}, ...layers.map(withoutGaps)) as Merged<T>;
}

/** What a model's answers are cached by. */
export function cacheFor(settings: Settings, model?: ModelSettings): Settings['cache'] {
  return { ...settings.cache, ...withoutGaps(model?.cache) } as Settings['cache'];
}

/** The path at which `key` of a section was written last on the way to a model. */
export function writtenAt(
  settings: Settings,
  section: Overridden,
  key: string,
  names: { readonly provider?: string; readonly model?: string },
): Path {
  const { provider, model } = names;
  if (model !== undefined && has(settings.models[model]?.[section], key)) {
    return ['models', model, section, key];
  }
  if (provider !== undefined && has(settings.providers[provider]?.[section], key)) {
    return ['providers', provider, section, key];
  }
  return ['resilience', section, key];
}

function has(section: object | undefined, key: string): boolean {
  return section !== undefined && (section as Record<string, unknown>)[key] !== undefined;
}

function withoutGaps(section: object | undefined): object {
  const entries = Object.entries(section ?? {});
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}
