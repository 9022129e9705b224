/**
 * A process that closes a database worker which is still at work, and says so when it has.
 */

import { systemClock } from '../../src/kernel/clock.ts';
import { noFaults } from '../../src/kernel/fault.ts';
import { silentLog } from '../../src/kernel/log.ts';
import { WorkerClient } from '../../src/storage/engines/thread/worker-client.ts';

/** So many that not all answers arrive at once. */
const CALLS = 200;

const client = new WorkerClient({
  ...{ name: 'late', entry: new URL('./late-worker.ts', import.meta.url), data: null },
  ...{ callsMax: CALLS + 1, clock: systemClock, log: silentLog, faults: noFaults },
  ...{ onReport: () => undefined, onRestart: () => undefined },
});
for (let call = 0; call < CALLS; call += 1) {
  client.call({ kind: 'recover' }, 60_000).catch(() => undefined); // the worker ended before
}
await client.call({ kind: 'close' }, 60_000);
await client.close();
process.stdout.write('closed\n');
