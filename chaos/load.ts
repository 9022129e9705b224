/**
 * Clients that ask at a steady rate whatever becomes of what they asked before (an open loop),
 * half of them for a stream, half of them what was asked before. Every answer is read to its end
 * and compared with the first one to the same question.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface Asked {
  /** When it was due, on the clock of `performance`. */
  readonly atMs: number;
  readonly tookMs: number;
  readonly stream: boolean;
  readonly cache: string | null;
  /** Why it counts as failed; null: it was answered to its legal end. */
  readonly failure: string | null;
  /** The answer is not that to its question. */
  readonly isWrong: boolean;
}

export interface Load {
  readonly asked: readonly Asked[];
  /** Ends when all that was asked was answered. */
  stop(): Promise<void>;
}

interface Target {
  readonly url: string;
  readonly key: string;
  readonly perSecond: number;
}

const QUESTIONS = 7;
/** Longer than any bar: what takes so long hangs. */
const ANSWER_MS = 10_000;

export function startLoad(target: Target): Load {
  const asked: Asked[] = [];
  const answers = new Map<string, string>();
  const running = new Set<Promise<void>>();
  let isStopped = false;
  const loop = (async () => {
    const beganMs = performance.now();
    for (let number = 0; !isStopped; number += 1) {
      const atMs = beganMs + (number * 1000) / target.perSecond;
      await pause(Math.max(0, atMs - performance.now()));
      const topic = number % 4 < 2 ? `${number % QUESTIONS}` : `of its own ${number}`;
      const one = ask(target, { atMs, topic, stream: number % 2 === 0, answers }).then((each) => {
        asked.push(each);
        running.delete(one);
      });
      running.add(one);
    }
  })();
  return {
    asked,
    async stop() {
      isStopped = true;
      await loop;
      await Promise.all(running);
    },
  };
}

interface Question {
  readonly atMs: number;
  readonly topic: string;
  readonly stream: boolean;
  /** What was said to each question first. */
  readonly answers: Map<string, string>;
}

async function ask({ url, key }: Target, question: Question): Promise<Asked> {
  const { atMs, topic, stream, answers } = question;
  const done = (cache: string | null, failure: string | null, isWrong = false): Asked => ({
    ...{ atMs, stream, cache, failure, isWrong },
    tookMs: performance.now() - atMs,
  });
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        ...{ model: 'mock', temperature: 0, stream },
        messages: [{ role: 'user', content: `question ${topic}` }],
      }),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    const said = stream ? saidInStream(text) : saidInBody(text);
    if (answer.status !== 200 || said === null) {
      return done(null, `${answer.status} ${text.slice(0, 200)}`);
    }
    const first = answers.get(topic) ?? said;
    answers.set(topic, first);
    return done(answer.headers.get('x-cache'), null, first !== said);
  } catch (error) {
    return done(null, String(error));
  }
}

/** null: it did not end as a stream ends. */
function saidInStream(text: string): string | null {
  if (!text.includes('data: [DONE]')) return null;
  let said = '';
  for (const [, data = ''] of text.matchAll(/^data: (\{.*\})$/gm)) {
    const event = JSON.parse(data);
    if (event.error !== undefined) return null;
    said += event.choices?.[0]?.delta?.content ?? '';
  }
  return said;
}

function saidInBody(text: string): string | null {
  const content = JSON.parse(text).choices?.[0]?.message?.content;
  return typeof content === 'string' ? content : null;
}
