/**
 * What one process found out for all of them: the first to ask looks for itself and leaves what
 * it found; the others read it. So a deployment asks a vendor once and not once for each worker.
 *
 * A good finding is kept for a minute, a bad one for a few seconds. Where Redis does not answer,
 * or nothing is left there in time, each looks for itself.
 */
import type { Clock } from '../../kernel/clock.ts';
import { sleep } from '../../kernel/deadline.ts';
import { escaped } from './keys.ts';
import type { RedisStore } from './store.ts';

export interface Finding {
  readonly status: string;
  readonly message: string;
}

export interface CommonVerdicts {
  /** `name` tells apart what is asked; whatever changes the answer must be part of it. */
  ask<T extends Finding>(name: string, look: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

const GOOD_MS = 60_000;
const BAD_MS = 3000;
/** As long as one look may take: then another process takes the turn. */
const TURN_MS = 3000;
const PATIENCE_MS = 1500;
const POLL_MS = 50;

export function createCommonVerdicts(redis: RedisStore, clock: Clock): CommonVerdicts {
  async function found<T extends Finding>(name: string): Promise<T | null> {
    const text = await redis.background('verdict', (client) => client.get(keyOf(name)));
    return text === null ? null : (JSON.parse(text) as T);
  }

  async function wait<T extends Finding>(name: string, signal: AbortSignal): Promise<T | null> {
    const endMs = clock.monotonicMs() + PATIENCE_MS;
    while (clock.monotonicMs() < endMs) {
      const finding = await found<T>(name);
      if (finding !== null) return finding;
      await sleep(clock, POLL_MS, signal);
    }
    return null;
  }

  async function leave(name: string, finding: Finding): Promise<void> {
    const lifeMs = finding.status === 'pass' ? GOOD_MS : BAD_MS;
    const text = JSON.stringify(finding);
    await redis.background('verdict', (client) => client.set(keyOf(name), text, 'PX', lifeMs));
  }

  return {
    async ask(name, look, signal) {
      const known = await found<Awaited<ReturnType<typeof look>>>(name).catch(() => null);
      if (known !== null) return known;
      const turn = `${keyOf(name)}:turn`;
      const isOurs = await redis
        .background('verdict', (client) => client.set(turn, '1', 'PX', TURN_MS, 'NX'))
        .then((answer) => answer === 'OK')
        .catch(() => true);
      if (!isOurs) {
        const finding = await wait<Awaited<ReturnType<typeof look>>>(name, signal).catch(
          () => null,
        );
        if (finding !== null) return finding;
      }
      const own = await look();
      await leave(name, own).catch(() => undefined);
      return own;
    },
  };
}

function keyOf(name: string): string {
  return `esclusa:verdict:{${escaped(name)}}`;
}
