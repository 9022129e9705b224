/**
 * The public face of the configuration: load it, keep it, show it, and resolve targets with it.
 */

export type { CallLimits } from './call-limits.ts';
export { type Catalogue, loadCatalogue, ownRowsFile } from './catalogue.ts';
export type { CatalogueModel, Figures, Vendor } from './catalogue-entries.ts';
export { ROLE_PREFIX } from './conditions.ts';
export type { Config, ModelConfig, ProviderConfig, TargetConfig } from './config.ts';
export { placeOf } from './database.ts';
export { type Change, diffSettings } from './diff.ts';
export {
  type ConfigFollower,
  type ConfigState,
  createConfigFollower,
  type Handover,
  handOver,
  stateOf,
  takeOver,
} from './follow.ts';
export { fileJsonSchema } from './json-schema.ts';
export {
  configFile,
  type Loaded,
  type LoadInput,
  load,
  type Sources,
  systemSources,
} from './load.ts';
export { ConfigError, type Problem, showProblem } from './problem.ts';
export { redactSettings, redactUrl } from './redact.ts';
export type { RedisConfig, RedisEndpoint } from './redis.ts';
export {
  addOwnRows,
  comparePrices,
  type PriceChange,
  readPriceList,
} from './refresh-prices.ts';
export {
  type ConfigKeeper,
  createConfigKeeper,
  type Generation,
  type KeeperOptions,
  type ReloadOutcome,
  type Subscriber,
} from './reload.ts';
export type { Settings } from './schema/file.ts';
export type { Environment } from './source/environment.ts';
export { type FileAccess, systemFiles } from './source/files.ts';
export {
  createTargetResolver,
  type ResolvedTarget,
  type TargetPrice,
  type TargetResolver,
} from './targets.ts';
export type { AllowanceConfig } from './tenants.ts';
