/**
 * A process that uses storage and is killed for it. Verbs: `append` writes entries for as long
 * as it lives and prints the id of each acknowledged one; `migrate` opens and closes; `key`
 * adds an API key; `job` takes background jobs and never ends one. The third word is a database
 * other than the file, as JSON.
 */
import { once } from 'node:events';
import { systemClock } from '../../src/kernel/clock.ts';
import { systemRandom } from '../../src/kernel/random.ts';
import { createJobRunner } from '../../src/operations/index.ts';
import type { DatabasePlace } from '../../src/storage/index.ts';
import { keyRecord } from './key-record.ts';
import { ids, ledgerEntry, openAt, rememberingLog } from './storage.ts';

const ENTRIES_PER_TURN = 8;

const [verb, dataDir = '', place] = process.argv.slice(2);
const database = place === undefined ? {} : { database: JSON.parse(place) as DatabasePlace };
const storage = await openAt({ dataDir, ...database, limits: { segmentMaxBytes: 65_536 } });

async function appendForEver(): Promise<never> {
  for (;;) {
    const turn = Array.from({ length: ENTRIES_PER_TURN }, async () => {
      const entry = ledgerEntry({ costNanousd: 1 });
      await storage.ledger.append(entry);
      process.stdout.write(`${entry.id}\n`);
    });
    await Promise.all(turn);
    if (process.stdout.writableNeedDrain) await once(process.stdout, 'drain');
  }
}

async function takeForEver(): Promise<never> {
  const { promise: never } = Promise.withResolvers<never>();
  const run = (): Promise<never> => {
    process.stdout.write('mail begins\n');
    return never;
  };
  createJobRunner({
    ...{ queue: storage.jobs, owner: ids.next('worker'), log: rememberingLog() },
    ...{ clock: systemClock, random: systemRandom },
    kinds: [{ kind: 'mail', every: null, run }],
    settings: { firstMs: 1, pollMs: 20, leaseMs: 500 },
  }).start();
  return never;
}

if (verb === 'append') await appendForEver();
if (verb === 'job') await takeForEver();
if (verb === 'key') {
  await storage.keys.insert(keyRecord({ id: ids.next('key'), name: 'From a child' }));
}
await storage.close();
