/**
 * The worker's end of the protocol: takes messages in their order, runs what they ask for, and
 * answers each call once. A call nobody waits for any more is not run.
 */
import type { MessagePort } from 'node:worker_threads';
import { systemClock } from '../../../kernel/clock.ts';
import type { Report } from '../../applying/report.ts';
import type { Call, Failure, FromWorker, Notice, ToWorker } from './protocol.ts';

export interface WorkerRole {
  /** Answers a value that can be cloned, or throws. */
  call(call: Call, stillWanted: () => boolean): unknown;
  notice(notice: Notice): void;
  /** What an error of this engine means to the caller. */
  failureOf(thrown: unknown): Failure;
}

/** Connects a role to its port; `report` sends what was not asked for. */
export function serve(
  port: MessagePort,
  createRole: (report: (report: Report) => void) => WorkerRole,
): void {
  const send = (message: FromWorker): void => port.postMessage(message);
  const role = createRole((report) => send({ report }));
  port.on('message', (message: ToWorker) => {
    if ('notice' in message) {
      role.notice(message.notice);
      return;
    }
    const { id, timeoutMs, call } = message;
    const endMs = systemClock.monotonicMs() + timeoutMs;
    const fail = (error: unknown): void => send({ id, failure: role.failureOf(error) });
    try {
      const value = role.call(call, () => systemClock.monotonicMs() < endMs);
      if (value instanceof Promise) value.then((result) => send({ id, value: result }), fail);
      else send({ id, value });
    } catch (error) {
      fail(error);
    }
  });
}
