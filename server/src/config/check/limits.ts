/**
 * Limits that must fit each other: time limits at every level they can be set on, and sizes of
 * the cache.
 */
import { cacheFor, sectionFor, writtenAt } from '../effective.ts';
import { type Path, showPath } from '../schema/walk.ts';
import { type CheckInput, type Report, refuse } from './report.ts';

type TimeLimit = 'connect_ms' | 'first_token_ms' | 'idle_ms' | 'total_ms';
interface Names {
  readonly provider?: string;
  readonly model?: string;
}

export function checkLimits(input: CheckInput, report: Report): void {
  if (!input.broken.some((path) => path.includes('timeouts'))) checkAllTimes(input, report);
  if (!input.broken.some((path) => path.includes('cache'))) checkCacheSizes(input, report);
}

function checkAllTimes(input: CheckInput, report: Report): void {
  const { providers, models } = input.settings;
  checkTimes(input, report, {});
  for (const provider of Object.keys(providers)) checkTimes(input, report, { provider });
  for (const [model, { timeouts, targets }] of Object.entries(models)) {
    if (timeouts === undefined) continue;
    for (const { provider } of targets) checkTimes(input, report, { provider, model });
  }
}

function checkTimes(input: CheckInput, report: Report, names: Names): void {
  const { settings, origin } = input;
  const provider = names.provider === undefined ? undefined : settings.providers[names.provider];
  const model = names.model === undefined ? undefined : settings.models[names.model];
  const times = sectionFor(settings, 'timeouts', provider, model);

  const require = (small: TimeLimit, relation: string, large: TimeLimit, holds: boolean): void => {
    if (holds) return;
    const at = (limit: TimeLimit): Path => writtenAt(settings, 'timeouts', limit, names);
    const written = [at(small), at(large)].filter((path) => origin.isWritten(path));
    const path = mostSpecific(written) ?? at(small);
    const describe = (limit: TimeLimit): string => {
      const where = at(limit);
      const source = origin.isWritten(where) ? '' : ', the default';
      const name = showPath(where) === showPath(path) ? limit : showPath(where);
      return `${name} (${times[limit]}${source})`;
    };
    refuse(report, input, path, `${describe(small)} must be ${relation} ${describe(large)}`);
  };

  const { connect_ms: connect, first_token_ms: first, idle_ms: idle, total_ms: total } = times;
  require('connect_ms', 'less than', 'first_token_ms', connect < first);
  require('first_token_ms', 'at most', 'total_ms', first <= total);
  require('idle_ms', 'at most', 'total_ms', idle <= total);
}

/** A limit of a model says more about who is to change something than one of the service. */
function mostSpecific(paths: readonly Path[]): Path | undefined {
  return paths.toSorted((a, b) => b.length - a.length)[0];
}

function checkCacheSizes(input: CheckInput, report: Report): void {
  const { settings, origin } = input;
  const check = (path: Path, entryBytes: number, maxBytes: number): void => {
    if (entryBytes <= maxBytes) return;
    const at = origin.isWritten(path) ? path : ['cache', 'max_bytes'];
    const message = `max_entry_bytes (${entryBytes}) must be at most cache.max_bytes (${maxBytes})`;
    refuse(report, input, at, message);
  };
  check(['cache', 'max_entry_bytes'], settings.cache.max_entry_bytes, settings.cache.max_bytes);
  for (const [name, model] of Object.entries(settings.models)) {
    const cache = cacheFor(settings, model);
    const path = ['models', name, 'cache', 'max_entry_bytes'];
    if (origin.isWritten(path)) check(path, cache.max_entry_bytes, cache.max_bytes);
  }
}
