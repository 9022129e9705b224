/** The list of everything that can be measured; the only place that names them all. */
import { engines } from './engines.ts';
import { authProfile, cacheHitProfile, ledgerProfile, proxyOnlyProfile } from './esclusa.ts';
import { portkey } from './portkey.ts';
import { direct, passThrough } from './references.ts';
import type { Variant, VariantId } from './subject.ts';
import { tiers } from './tiers.ts';

export const variants: Readonly<Record<VariantId, Variant>> = {
  direct,
  'pass-through': passThrough,
  portkey,
  'proxy-only': proxyOnlyProfile,
  'auth-limits': authProfile,
  ledger: ledgerProfile,
  'cache-hit': cacheHitProfile,
  ...tiers,
  ...engines,
};
