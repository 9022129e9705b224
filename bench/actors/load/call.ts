/**
 * One call of the load generator: sends the target's body, checks status and length of the
 * answer, and says when it is over. A wrong answer is an error, never a sample.
 */
import { type Dispatcher, Pool } from 'undici';
import type { Target } from '../protocol.ts';

export interface Caller {
  /** Sends one call; `onEnd` gets null, or what was wrong with the answer. */
  send(onEnd: (problem: string | null) => void): void;
  /** Sends one call and hands over the bytes as they come; returns how to leave. */
  stream(on: StreamListener): () => void;
  close(): Promise<void>;
}

export interface StreamListener {
  onBytes(chunk: Buffer): void;
  onEnd(problem: string | null): void;
}

/** Numbers that never repeat in the life of the generator: a repeated body would be a cache hit. */
export type Numbers = () => number;

export function createCaller(target: Target, connections: number, numbers: Numbers): Caller {
  const pool = new Pool(target.origin, { connections, pipelining: 1 });
  const nextBody = createBodies(target, numbers);
  const options = { path: target.path, method: 'POST', headers: target.headers } as const;
  return {
    send(onEnd) {
      pool.dispatch({ ...options, body: nextBody() }, plainHandler(target.answerBytes, onEnd));
    },
    stream(on) {
      let controller: Dispatcher.DispatchController | null = null;
      let isLeft = false;
      pool.dispatch(
        { ...options, body: nextBody() },
        streamHandler(on, (started) => {
          controller = started;
          if (isLeft) started.abort(new Error('left'));
        }),
      );
      return () => {
        isLeft = true;
        controller?.abort(new Error('left'));
      };
    },
    close: () => pool.destroy(),
  };
}

/** What stands in the place of the marker. */
export function numberOf({ bodies }: Target, number: number): number {
  return bodies === undefined ? number : number % bodies;
}

/** Bodies that differ in the marker's ten digits only; the same buffer each time without one. */
function createBodies(target: Target, numbers: Numbers): () => Buffer {
  const { body, marker } = target;
  const template = Buffer.from(body);
  if (marker === null) return () => template;
  const at = template.indexOf(marker);
  if (at < 0) throw new Error('the body does not hold the marker');
  return () => {
    const bytes = Buffer.from(template);
    const number = numberOf(target, numbers());
    bytes.write(String(number).padStart(marker.length, '0'), at, 'latin1');
    return bytes;
  };
}

function plainHandler(
  answerBytes: number | null,
  onEnd: (problem: string | null) => void,
): Dispatcher.DispatchHandler {
  let status = 0;
  let bytes = 0;
  return {
    onRequestStart: ignore,
    onResponseStart(_, code) {
      status = code;
    },
    onResponseData(_, chunk) {
      bytes += chunk.length;
    },
    onResponseEnd() {
      if (status !== 200) onEnd(`status ${status}`);
      else if (answerBytes !== null && bytes !== answerBytes) onEnd(`${bytes} bytes`);
      else onEnd(null);
    },
    onResponseError(_, error) {
      onEnd(error.message);
    },
  };
}

function streamHandler(
  on: StreamListener,
  onStart: (controller: Dispatcher.DispatchController) => void,
): Dispatcher.DispatchHandler {
  let status = 0;
  return {
    onRequestStart: onStart,
    onResponseStart(_, code) {
      status = code;
    },
    onResponseData(_, chunk) {
      on.onBytes(chunk);
    },
    onResponseEnd() {
      on.onEnd(status === 200 ? null : `status ${status}`);
    },
    onResponseError(_, error) {
      on.onEnd(error.message);
    },
  };
}

/** The dispatcher insists on being able to say that a request begins. */
function ignore(): void {
  // Nothing to prepare.
}
