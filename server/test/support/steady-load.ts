/**
 * Clients that ask at a steady rate, half of them for a stream, whatever becomes of what they
 * asked before (an open loop: a slow server does not slow them down).
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface LoadOptions {
  readonly url: string;
  readonly key: string;
  readonly perSecond?: number;
  /** How many different questions are asked again and again, by half of the requests. */
  readonly questions?: number;
}

export interface Asked {
  readonly status: number;
  readonly tookMs: number;
  readonly cache: string | null;
  /** Why it counts as failed; null: it was answered to its legal end. */
  readonly failure: string | null;
}

export interface SteadyLoad {
  /** Every answer so far. */
  readonly asked: readonly Asked[];
  /** Those that were answered since `mark`, a number of answers. */
  since(mark: number): readonly Asked[];
  /** Ends when all that was asked was answered. */
  stop(): Promise<readonly Asked[]>;
}

const ANSWER_MS = 10_000;

export function startLoad(options: LoadOptions): SteadyLoad {
  const { perSecond = 20, questions = 7 } = options;
  const asked: Asked[] = [];
  const running = new Set<Promise<void>>();
  let isStopped = false;
  const loop = (async () => {
    const beganMs = performance.now();
    for (let number = 0; !isStopped; number += 1) {
      // Two of four ask what nobody asked: those need the shared store, or a provider.
      const topic = number % 4 < 2 ? number % questions : `of its own ${number}`;
      const one = ask(options, `question ${topic}`, number % 2 === 0).then((each) => {
        asked.push(each);
        running.delete(one);
      });
      running.add(one);
      await pause(Math.max(0, beganMs + ((number + 1) * 1000) / perSecond - performance.now()));
    }
  })();
  return {
    asked,
    since: (mark) => asked.slice(mark),
    async stop() {
      isStopped = true;
      await loop;
      await Promise.all(running);
      return asked;
    },
  };
}

/** The time below which `share` of the answers came. */
export function percentile(asked: readonly Asked[], share: number): number {
  const sorted = asked.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

async function ask({ url, key }: LoadOptions, content: string, stream: boolean): Promise<Asked> {
  const beganMs = performance.now();
  const done = (status: number, cache: string | null, failure: string | null): Asked => ({
    ...{ status, cache, failure },
    tookMs: performance.now() - beganMs,
  });
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'mock', temperature: 0, stream },
        messages: [{ role: 'user', content }],
      }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    const isWhole = stream ? text.includes('data: [DONE]') : text.includes('"choices"');
    const isGood = answer.status === 200 && isWhole && !text.includes('"error"');
    const failure = isGood ? null : `${answer.status} ${text.slice(0, 200)}`;
    return done(answer.status, answer.headers.get('x-cache'), failure);
  } catch (error) {
    return done(0, null, String(error));
  }
}
