/**
 * The remember stage: puts the conversation before a request that goes on from a kept answer,
 * and keeps the answers that are to be gone on from.
 *
 * 1. An answer's end leaves after it is kept; where that fails the client is told so, and never
 *    given an id that leads nowhere.
 * 2. It stands before guard and cache, so that both see the whole conversation, and keeps what
 *    passed the checks of answers.
 * 3. Everything it reads and writes is the tenant's own.
 */
import { assert } from '../../kernel/assert.ts';
import type { PlainAnswer, StreamFrame } from '../model/answer.ts';
import type { Exchange } from '../model/exchange.ts';
import type { ThreadOwner, Threads } from '../ports/threads.ts';
import type { Stage } from './stage.ts';

const NOTHING = Buffer.alloc(0);

export function remember(threads: Threads): Stage {
  return {
    name: 'remember',
    codes: [
      'previous_response_not_found',
      'invalid_request',
      'body_too_large',
      'storage_unavailable',
      'response_not_kept',
      'tenant_moving',
    ],
    wrap: (next) => async (exchange) => {
      const thread = exchange.request.foreign?.thread;
      if (thread === undefined) return next(exchange);
      assert(exchange.principal !== null, 'authenticate comes before remember');
      const { tenant, keyId } = exchange.principal;
      const owner = { tenant, keyId };
      exchange.request = await threads.recall(owner, exchange.request);
      const answer = await next(exchange);
      if (answer.kind === 'plain') return plain(threads, owner, exchange, answer);
      const { frames } = answer;
      const own = isShared(exchange) ? adopted(threads, exchange, frames) : frames;
      return { ...answer, frames: thread.keep ? kept(threads, owner, exchange, own) : own };
    },
  };
}

/** The answer was made for another exchange. */
function isShared({ cache }: Exchange): boolean {
  return cache.status !== 'MISS' && cache.status !== 'BYPASS';
}

async function* adopted(
  threads: Threads,
  { request }: Exchange,
  frames: AsyncIterable<StreamFrame>,
): AsyncGenerator<StreamFrame> {
  for await (const frame of frames) yield threads.adoptFrame(request, frame);
}

async function plain(
  threads: Threads,
  owner: ThreadOwner,
  exchange: Exchange,
  answer: PlainAnswer,
): Promise<PlainAnswer> {
  const { request } = exchange;
  const own = isShared(exchange) ? threads.adopt(request, answer) : answer;
  if (request.foreign?.thread?.keep !== true) return own;
  try {
    await threads.keep(owner, request, own.bytes);
  } catch (thrown) {
    exchange.spent = answer.usage;
    throw thrown;
  }
  return own;
}

/** What the last frame says goes out before the end is kept, so that it is never lost. */
async function* kept(
  threads: Threads,
  owner: ThreadOwner,
  exchange: Exchange,
  frames: AsyncIterable<StreamFrame>,
): AsyncGenerator<StreamFrame> {
  for await (const frame of frames) {
    if (frame.terminal === null) {
      yield frame;
      continue;
    }
    yield { ...frame, terminal: null };
    await threads.keep(owner, exchange.request, frame.terminal);
    yield { ...frame, bytes: NOTHING, producedCharacters: 0, usage: null };
  }
}
