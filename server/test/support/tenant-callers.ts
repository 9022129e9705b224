/**
 * What the people and programs of one tenant send, of every kind, one behind the other in each
 * lane, until they are told to stop: plain, streamed, cached, sent twice, and kept to go on from.
 * A text of theirs is in everything that they may choose. The configuration has a model `slow`.
 */
import { setTimeout as pause } from 'node:timers/promises';

export interface CallersOptions {
  /** Asked in turn. */
  readonly urls: readonly string[];
  readonly key: string;
  readonly mark: string;
}

/** One call that was answered to its end. */
export interface AnsweredCall {
  readonly kind: string;
  readonly status: number;
  /** Its id in the ledger. */
  readonly requestId: string;
  /** As its answer said; null where it came too late for a header. */
  readonly costUsd: string | null;
  /** Of a response that is kept. */
  readonly responseId: string | null;
}

export interface Callers {
  readonly calls: readonly AnsweredCall[];
  /** How often each status was answered, by the kind of the call. */
  readonly answered: ReadonlyMap<string, number>;
  /** Streams without a legal end, and answers that say that something does not work. */
  readonly broken: readonly string[];
  stop(): Promise<void>;
}

type Send = (number: number) => { readonly path: string; readonly body: object; headers?: object };

const ANSWER_MS = 15_000;
const REST_MS = 20;

export function startCallers({ urls, key, mark }: CallersOptions): Callers {
  const answered = new Map<string, number>();
  const broken: string[] = [];
  const calls: AnsweredCall[] = [];
  let isStopped = false;

  async function once(kind: string, send: Send, number: number): Promise<void> {
    const { path, body, headers } = send(number);
    const answer = await fetch(`${urls[number % urls.length]}${path}`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${key}`,
        'content-type': 'application/json',
        'x-correlation-id': `corr-${mark}-${kind}-${number}`,
        ...headers,
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(ANSWER_MS),
    });
    const text = await answer.text();
    calls.push(callOf(kind, answer, text));
    const name = `${kind} ${answer.status}`;
    answered.set(name, (answered.get(name) ?? 0) + 1);
    const isStream = answer.headers.get('content-type')?.includes('event-stream') === true;
    const isEnded = text.includes('data: [DONE]') || text.includes('"error"');
    if ((isStream && !isEnded) || answer.status >= 500) broken.push(`${name} ${text.slice(-300)}`);
  }

  const lanes = Object.entries(kindsOf(mark)).map(async ([kind, send]) => {
    for (let number = 0; !isStopped; number += 1) {
      await once(kind, send, number);
      await pause(REST_MS);
    }
  });
  return {
    ...{ answered, broken, calls },
    async stop() {
      isStopped = true;
      await Promise.all(lanes);
    },
  };
}

function callOf(kind: string, { status, headers }: Response, text: string): AnsweredCall {
  return {
    ...{ kind, status, requestId: headers.get('x-request-id') ?? '' },
    costUsd: headers.get('x-esclusa-cost-usd'),
    responseId: kind === 'kept' && status === 200 ? String(JSON.parse(text).id) : null,
  };
}

function kindsOf(mark: string): Readonly<Record<string, Send>> {
  const path = '/v1/chat/completions';
  const chat = (content: string, more: object = {}) => ({
    path,
    body: { model: 'mock', messages: [{ role: 'user', content }], ...more },
  });
  return {
    plain: (number) => chat(`${mark} plain ${number}`, { temperature: 1, user: `user-${mark}` }),
    streamed: (number) => chat(`${mark} streamed ${number}`, { model: 'slow', stream: true }),
    cached: (number) => chat(`${mark} cached ${number % 5}`, { temperature: 0 }),
    cached_stream: (number) =>
      chat(`${mark} cached stream ${number % 3}`, { temperature: 0, stream: true }),
    twice: (number) => ({
      ...chat(`${mark} twice`),
      headers: { 'idempotency-key': `once-${mark}-${number >> 1}` },
    }),
    kept: (number) => ({
      path: '/v1/responses',
      body: { model: 'mock', input: `${mark} kept ${number}` },
    }),
  };
}
