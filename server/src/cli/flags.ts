/**
 * How a feature flag stands, in a few words.
 */
import type { Flag } from '../app/workspace.ts';
import type { VerbContext } from './context.ts';

export function flagState({ say }: Pick<VerbContext, 'say'>, flag: Flag): string {
  if (flag.forced_off_by !== null) return say.flags.forced(flag.forced_off_by);
  const share = say.flags.onFor(flag.enabled ? flag.percentage : 0, flag.by);
  const listed = flag.enabled && flag.percentage < 100 ? flag.tenants : [];
  return [share, ...listed].join(' + ');
}
