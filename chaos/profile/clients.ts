/**
 * Clients of the profile: each request is drawn by weight, is due at a time drawn before the
 * first one is sent (an open loop), and is read to its end. Its time runs from when it was due.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { type Dispatcher, Pool } from 'undici';
import { drawArrivals } from '../../bench/actors/load/open-loop.ts';
import { ADMIN_KEY } from '../../server/test/support/gateway.ts';
import { createSeededRandom } from '../../server/test/support/seeded-random.ts';
import { type Kind, type Phase, QUESTIONS, REPEATED_PERCENT, WEIGHTS } from './plan.ts';

export interface Asked {
  readonly kind: Kind;
  readonly tookMs: number;
  readonly cache: string | null;
  /** Why it counts as failed; null: it was answered to its legal end. */
  readonly failure: string | null;
}

export interface Clients {
  /** Resolves when everything that was due in the phase was answered. */
  play(phase: Phase): Promise<readonly Asked[]>;
  close(): Promise<void>;
}

interface Question {
  readonly path: string;
  /** null: it is a GET. */
  readonly body: object | null;
  isWhole(text: string): boolean;
}

type Draw = () => number;

const CONNECTIONS = 512;
const ANSWER_MS = 30_000;
/** A ramp goes up by steps of this length. */
const STEP_SECONDS = 1;
const SESSIONS_MAX = 1000;
const SEED = 7;
/** Each kind as often as it weighs. */
const DRAWN = (Object.entries(WEIGHTS) as [Kind, number][]).flatMap(([kind, weight]) =>
  Array.from({ length: weight }, () => kind),
);

export function createClients(url: string): Clients {
  const pool = new Pool(url, { connections: CONNECTIONS, pipelining: 1 });
  const random = createSeededRandom(SEED);
  const questionOf = createQuestions(() => random.float());

  async function ask(kind: Kind, dueMs: number): Promise<Asked> {
    const question = questionOf.next(kind);
    const done = (cache: string | null, failure: string | null): Asked => ({
      ...{ kind, cache, failure },
      tookMs: performance.now() - dueMs,
    });
    try {
      const answer = await pool.request(optionsOf(question));
      const text = await answer.body.text();
      if (answer.statusCode !== 200 || !question.isWhole(text)) {
        return done(null, `${kind}: ${answer.statusCode} ${text.slice(0, 200)}`);
      }
      if (kind === 'create session') questionOf.created(text);
      const cache = answer.headers['x-cache'];
      return done(typeof cache === 'string' ? cache : null, null);
    } catch (error) {
      return done(null, `${kind}: ${String(error)}`);
    }
  }

  return {
    async play(phase) {
      const running: Promise<Asked>[] = [];
      const beganMs = performance.now();
      for (const atMs of arrivalsOf(phase)) {
        const dueMs = beganMs + atMs;
        const earlyMs = dueMs - performance.now();
        if (earlyMs > 0) await pause(earlyMs);
        running.push(ask(kindOf(random.float()), dueMs));
      }
      return Promise.all(running);
    },
    close: () => pool.destroy(),
  };
}

/** Milliseconds from the beginning of the phase, rising. */
function arrivalsOf({ fromPerSecond, toPerSecond, seconds }: Phase): readonly number[] {
  const steps = fromPerSecond === toPerSecond ? 1 : Math.round(seconds / STEP_SECONDS);
  const durationMs = (seconds * 1000) / steps;
  return Array.from({ length: steps }, (_, step) => {
    const share = steps === 1 ? 0 : step / (steps - 1);
    const ratePerSecond = fromPerSecond + (toPerSecond - fromPerSecond) * share;
    const drawn = drawArrivals({ ratePerSecond, durationMs, seed: SEED + step });
    return drawn.map((atMs) => step * durationMs + atMs);
  }).flat();
}

function kindOf(drawn: number): Kind {
  return DRAWN[Math.floor(drawn * DRAWN.length)] ?? 'health';
}

function createQuestions(draw: Draw) {
  const sessions: string[] = [];
  let asked = 0;
  const get = (path: string): Question => ({ path, body: null, isWhole: () => true });
  return {
    created(text: string): void {
      const { id } = JSON.parse(text);
      if (sessions.length < SESSIONS_MAX) sessions.push(id);
      else sessions[asked % SESSIONS_MAX] = id;
    },
    next(kind: Kind): Question {
      asked += 1;
      switch (kind) {
        case 'health':
          return get('/api/v1/health');
        case 'list':
          return get('/v1/models');
        case 'path':
          return get('/api/v1/requests?limit=20');
        case 'get session': {
          const id = sessions[Math.floor(draw() * sessions.length)];
          return id === undefined ? get('/v1/models') : get(`/v1/responses/${id}`);
        }
        case 'create session':
          return {
            path: '/v1/responses',
            body: { model: 'mock', input: `session ${asked}` },
            isWhole: (text) => text.includes('"output"'),
          };
        case 'interaction':
          return interaction(asked, draw);
      }
    },
  };
}

/** Every second one is a stream. */
function interaction(number: number, draw: Draw): Question {
  const isRepeated = draw() * 100 < REPEATED_PERCENT;
  const content = isRepeated ? `question ${Math.floor(draw() * QUESTIONS)}` : `own ${number}`;
  const stream = number % 2 === 0;
  return {
    path: '/v1/chat/completions',
    body: { model: 'mock', temperature: 0, stream, messages: [{ role: 'user', content }] },
    isWhole: (text) =>
      stream ? text.trimEnd().endsWith('data: [DONE]') : text.includes('"choices"'),
  };
}

function optionsOf({ path, body }: Question): Dispatcher.RequestOptions {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
  const limits = { headersTimeout: ANSWER_MS, bodyTimeout: ANSWER_MS };
  if (body === null) return { path, method: 'GET', headers, ...limits };
  return { path, method: 'POST', headers, body: JSON.stringify(body), ...limits };
}
