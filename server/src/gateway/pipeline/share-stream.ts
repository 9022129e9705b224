/**
 * A stream as it is shared: read by many, kept when it is complete, told to processes that
 * follow.
 *
 * A stream that another process leads goes on from a source of our own when that process is
 * lost, where its bytes begin with those already sent; else it ends with an error.
 */
import { assert } from '../../kernel/assert.ts';
import { behind } from '../caching/follow.ts';
import { relayStream } from '../caching/relay.ts';
import { answerOf } from '../caching/replay.ts';
import { SharedStream } from '../caching/shared-stream.ts';
import type { Answer, StreamAnswer, StreamFrame } from '../model/answer.ts';
import { GatewayError } from '../model/errors.ts';
import { type CacheCall, mayTakeOver, obtain, type Source } from './flight-source.ts';
import { headOf, type KeepDeps, keep } from './keep.ts';

export interface StreamShare {
  readonly stream: SharedStream;
  /** What its leader is given of it. */
  readonly answer: StreamAnswer;
  readonly lasts: Promise<unknown>;
}

/** What becomes of the call behind a stream. */
interface Course {
  readonly deps: KeepDeps;
  readonly call: CacheCall;
  readonly work: AbortController;
  /** null: another process makes the call and keeps its answer. */
  generation: string | null;
  kept: Promise<void>;
}

export function shareStream(
  deps: KeepDeps,
  call: CacheCall,
  work: AbortController,
  source: Source,
): StreamShare {
  const { abort, route, request } = call.exchange;
  const { dialect } = request;
  const course: Course = { deps, call, work, generation: null, kept: Promise.resolve() };
  const frames = resumed(course, open(course, source), () => stream);
  assert(route !== null, 'route comes before cache');
  const maxBytes = route.cache.maxEntryBytes;
  const stream: SharedStream = new SharedStream(frames, work, { maxBytes }, (whole) => {
    if (course.generation === null) return;
    course.kept = keep(deps, call, { ...whole, dialect, contentType: '' }, course.generation);
  });
  relay(course, source, stream);
  const answer: StreamAnswer = { kind: 'stream', dialect, frames: stream.pay(abort.signal) };
  const { asItCame } = call.exchange;
  const lasts = stream.closed.then(() => (stream.soFar() === null ? null : asItCame));
  return { stream, answer, lasts };
}

async function* resumed(
  course: Course,
  first: AsyncIterable<StreamFrame>,
  streamOf: () => SharedStream,
): AsyncGenerator<StreamFrame> {
  const { deps, call, work } = course;
  let frames = first;
  for (;;) {
    try {
      yield* frames;
      return;
    } catch (thrown) {
      const isOurs = course.generation !== null || work.signal.aborted;
      if (isOurs || !mayTakeOver(thrown)) throw thrown;
    }
    const stream = streamOf();
    const sent = stream.soFar();
    if (sent === null) throw new GatewayError('shared_call_lost');
    const source = await obtain(deps, call, work);
    frames = behind(sent, open(course, source));
    relay(course, source, stream);
  }
}

function open(course: Course, source: Source): AsyncIterable<StreamFrame> {
  const answer = streamIn(course, source);
  assert(answer.kind === 'stream', 'a request for a stream is answered by one');
  return answer.frames;
}

function streamIn(course: Course, source: Source): Answer {
  switch (source.kind) {
    case 'stored':
      return answerOf(source.found.entry, course.work.signal);
    case 'followed': {
      const { followed } = source;
      assert(followed.kind === 'stream', 'a request for a stream is followed as one');
      return { kind: 'stream', dialect: followed.head.dialect, frames: followed.frames };
    }
    case 'called':
      course.generation = source.generation;
      return source.answer;
  }
}

/** Lets other processes follow a call of ours. */
function relay(course: Course, source: Source, stream: SharedStream): void {
  if (source.kind !== 'called' || source.log === null) return;
  const head = headOf(course.call, source.answer);
  void relayStream(source.log, head, stream, () => course.kept);
}
