/**
 * Wall-clock instants as text, `2026-11-20T14:02:11.123Z`. Formatting a date costs more than
 * the rest of a log line's head, so all but the milliseconds is kept for one second.
 */
import type { Clock } from '../kernel/clock.ts';

export function createTimestamps(clock: Clock): () => string {
  let second = Number.NaN;
  let prefix = '';
  return () => {
    const nowMs = clock.wallMs();
    const nowSecond = Math.floor(nowMs / 1000);
    if (nowSecond !== second) {
      second = nowSecond;
      prefix = new Date(nowSecond * 1000).toISOString().slice(0, 20);
    }
    const milliseconds = Math.floor(nowMs) - nowSecond * 1000;
    return `${prefix}${String(milliseconds).padStart(3, '0')}Z`;
  };
}
