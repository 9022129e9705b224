/**
 * A database worker that answers what it was asked first only after it was asked to close.
 */
import { parentPort } from 'node:worker_threads';

const held: number[] = [];

parentPort?.on('message', ({ id, call }: { id: number; call: { kind: string } }) => {
  if (call.kind !== 'close') {
    held.push(id);
    return;
  }
  for (const each of [id, ...held]) parentPort?.postMessage({ id: each, value: null });
});
