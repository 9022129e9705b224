/**
 * What a leading process writes down for the processes that follow its call: nothing while
 * nobody follows, then all of the answer from its beginning.
 *
 * 1. Where the answer is kept, it is in the cache before its end is written down or its flight
 *    is over: who comes later finds the one or the other.
 * 2. Followers hold on to the call like readers of this process do, and are never waited for
 *    beyond what is held of a stream.
 *
 * Nothing here rejects; a store that fails only ends the sharing.
 */
import { asGatewayError, GatewayError } from '../model/errors.ts';
import type { FlightHead, FlightLog, FlightRecord } from '../ports/shared-flights.ts';
import type { SharedStream } from './shared-stream.ts';

/** Tells followers of a call that came to one complete answer, or failed. */
export async function relayWhole(
  log: FlightLog,
  records: readonly FlightRecord[],
  kept: Promise<void>,
): Promise<void> {
  await kept;
  if (await log.release()) return;
  for (const record of records) if (!(await log.append(record))) return;
}

/** Tells followers of a stream, as it comes, from when the first of them is there. */
export async function relayStream(
  log: FlightLog,
  head: FlightHead,
  stream: SharedStream,
  kept: () => Promise<void>,
): Promise<void> {
  const relay: Relay = { log, head, stream, kept, written: 0 };
  const over = stream.ended.then(() => true);
  for (;;) {
    const isOver = await Promise.race([over, log.followed().then(() => false)]);
    if (isOver) {
      await kept();
      if (await log.release()) return;
    }
    if (await relayOnce(relay)) return;
  }
}

interface Relay {
  readonly log: FlightLog;
  readonly head: FlightHead;
  readonly stream: SharedStream;
  readonly kept: () => Promise<void>;
  /** Records written for followers that have left since; they are not written again. */
  written: number;
}

/** Answers false when all followers have left before the end. */
async function relayOnce(relay: Relay): Promise<boolean> {
  const { log, head, stream } = relay;
  const signal = log.watched();
  const reader = stream.open(signal);
  if (reader === null) {
    const error = stream.soFar() === null ? null : (await stream.ended).error;
    await log.append({ kind: 'failed', error: error ?? new GatewayError('shared_call_lost') });
    return true;
  }
  let number = 0;
  const write = async (record: FlightRecord): Promise<boolean> => {
    number += 1;
    if (number <= relay.written) return true;
    relay.written = number;
    return log.append(record);
  };
  try {
    if (!(await write({ kind: 'head', head }))) return true;
    for await (const { bytes, terminal, sequence = null } of reader) {
      if (!(await write({ kind: 'piece', bytes, sequence }))) return true;
      if (terminal === null) continue;
      await relay.kept();
      await log.append({ kind: 'end', terminal });
    }
  } catch (thrown) {
    if (signal.aborted) return false;
    await log.append({ kind: 'failed', error: asGatewayError(thrown) });
  }
  return true;
}
