/**
 * Plays one answer over its socket, with the waits and the end that its behaviour says, and
 * stops as soon as the client is gone.
 */
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate, setTimeout } from 'node:timers/promises';
import type { MockResponse } from '../../../src/providers/mock/mock-provider.ts';
import type { Behaviour, Ending } from './behaviour.ts';
import { bodySlices } from './slices.ts';

export interface AnswerTask {
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly behaviour: Behaviour;
  readonly mock: MockResponse;
  /** Aborts when the client has closed the connection. */
  readonly gone: AbortSignal;
  /** Called before this side closes or resets the connection. */
  readonly closing: () => void;
}

/** Resolves when the answer was written to its end, or never will be; true if it was. */
export async function answerCall(task: AnswerTask): Promise<boolean> {
  const { behaviour, mock, gone } = task;
  if (behaviour.silent === true) return false;
  try {
    await wait(mock.headDelayMs + (behaviour.headDelayMs ?? 0), gone);
    if (behaviour.raw === undefined) writeHead(task);
    const slices = bodySlices(mock.pieces, behaviour);
    for (;;) {
      const step = slices.next();
      if (step.done === true) return await end(task, step.value);
      await wait(step.value.afterMs, gone);
      await write(task, step.value.bytes);
    }
  } catch (error) {
    if (gone.aborted) return false;
    throw error;
  }
}

function writeHead({ response, behaviour, mock }: AnswerTask): void {
  const encoding = behaviour.encode === undefined ? {} : { 'content-encoding': 'gzip' };
  const headers = { ...mock.headers, ...encoding, ...behaviour.headers };
  response.writeHead(behaviour.status ?? mock.status, headers as Record<string, string>);
  response.flushHeaders();
}

/** One write at a time, so that slices leave apart and a slow reader holds the next one up. */
async function write(task: AnswerTask, bytes: Buffer): Promise<void> {
  task.gone.throwIfAborted();
  const target = task.behaviour.raw === undefined ? task.response : task.socket;
  if (!target.write(bytes)) {
    await new Promise<void>((resolve) => {
      target.once('drain', resolve);
      task.gone.addEventListener('abort', () => resolve(), { once: true });
    });
  }
  await setImmediate();
  task.gone.throwIfAborted();
}

async function end(task: AnswerTask, ending: Ending): Promise<boolean> {
  const { response, socket, behaviour, closing } = task;
  switch (ending) {
    case 'clean':
      if (behaviour.raw === undefined) {
        await new Promise<void>((resolve) => response.end(resolve));
        return true;
      }
      closing();
      socket.end();
      return true;
    case 'fin':
      closing();
      socket.end();
      return false;
    case 'reset':
      await setImmediate(); // what was written leaves first
      closing();
      socket.resetAndDestroy();
      return false;
    case 'stall':
      return false;
  }
}

async function wait(durationMs: number, gone: AbortSignal): Promise<void> {
  if (durationMs > 0) await setTimeout(durationMs, undefined, { signal: gone });
  gone.throwIfAborted();
}
