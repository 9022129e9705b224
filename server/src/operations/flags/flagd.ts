/**
 * Flags as flagd's JSON: the one form in which they are evaluated, so that a flagd of the
 * operator's could answer in our place, and every share is the stable hash that flagd defines.
 */
import type { FlagDefinition } from '../ports/flag-repository.ts';

const VARIANTS = { on: true, off: false };
const WHOLE = 100;

/** The text that flagd and its libraries read. */
export function flagdJson(flags: ReadonlyMap<string, FlagDefinition>): string {
  const entries = [...flags].map(([name, flag]) => [name, flagdFlag(flag)] as const);
  return JSON.stringify({ flags: Object.fromEntries(entries) });
}

/** True or false where it is that for everybody; null where it depends on who asks. */
export function fixedValue({ enabled, percentage, tenants }: FlagDefinition): boolean | null {
  if (!enabled) return false;
  if (percentage >= WHOLE) return true;
  return percentage <= 0 && tenants.length === 0 ? false : null;
}

function flagdFlag(flag: FlagDefinition) {
  const fixed = fixedValue(flag);
  const base = { state: 'ENABLED', variants: VARIANTS };
  if (fixed !== null) return { ...base, defaultVariant: fixed ? 'on' : 'off' };
  const { percentage, tenants } = flag;
  const share =
    percentage <= 0
      ? 'off'
      : {
          fractional: [
            ['on', percentage],
            ['off', WHOLE - percentage],
          ],
        };
  const targeting = { if: [{ in: [{ var: 'tenant' }, tenants] }, 'on', share] };
  return { ...base, defaultVariant: 'off', targeting };
}
