/**
 * Flags in the shape of the control plane.
 */
import type { Flag } from '@esclusa/contracts';
import { defaultOf, type FlagView, knownFlag } from '../../operations/index.ts';
import { timestamp } from './index.ts';

/** `isForcedOff`: the configuration in force does so. */
export function flagToWire(
  { name, record }: FlagView,
  isForcedOff: (name: string) => boolean,
): Flag {
  const known = knownFlag(name);
  const fallback = defaultOf(name);
  const { enabled, percentage, by, tenants } = record ?? fallback;
  return {
    name,
    description: known?.description ?? null,
    ...{ enabled, percentage, by, tenants: [...tenants] },
    default: fallback.enabled,
    is_stored: record !== null,
    forced_off_by: isForcedOff(name) ? (known?.env ?? null) : null,
    updated_at: record === null ? null : timestamp(record.updatedAtMs),
    updated_by: record?.updatedBy ?? null,
    rollout: record?.rollout ?? null,
  };
}
