/**
 * Goal: nothing that was acknowledged is lost, and nothing is booked twice: `kill -9` in the
 * middle of load, again and again, also while another process holds the database.
 * Method: the real process; a client that keeps the id of every answer it received whole; after
 * the restart the ledger is read page by page and compared.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { type TestContext, test } from 'node:test';
import { afterwards, temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { until } from '../support/until.ts';

const KILLS = 20;
const CLIENTS = 8;
const LOCK_MS = 30_000;

interface Load {
  /** Ids of answers received to their last byte. */
  readonly acknowledged: string[];
  /** Answers that were not 200 while the server was up. */
  readonly refused: number[];
  stop(): Promise<void>;
}

function startLoad(url: string): Load {
  const acknowledged: string[] = [];
  const refused: number[] = [];
  let isStopped = false;
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let i = 0; !isStopped; i += 1) {
      try {
        const answer = await ask(url, `client ${client} asks ${i}`, i % 2 === 0);
        if (answer.status === 200) acknowledged.push(answer.id);
        else refused.push(answer.status);
      } catch {
        return; // the process is gone: what was in flight was not acknowledged
      }
    }
  });
  return {
    acknowledged,
    refused,
    async stop() {
      isStopped = true;
      await Promise.all(clients);
    },
  };
}

async function ask(url: string, text: string, stream: boolean) {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'mock',
      stream,
      max_tokens: 8,
      messages: [{ role: 'user', content: text }],
    }),
  });
  const body = await answer.text();
  if (stream && answer.status === 200 && !body.endsWith('data: [DONE]\n\n')) {
    throw new Error('a stream without its end is no acknowledgement');
  }
  return { status: answer.status, id: answer.headers.get('x-request-id') ?? '' };
}

/** How often each id stands in the ledger, read page by page. */
async function ledgerCounts(url: string): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const answer = await fetch(`${url}/api/v1/requests?limit=200${query}`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    assert.equal(answer.status, 200);
    const page = (await answer.json()) as { data: { id: string }[]; next: string | null };
    for (const { id } of page.data) counts.set(id, (counts.get(id) ?? 0) + 1);
    cursor = page.next;
  } while (cursor !== null);
  return counts;
}

async function assertAllBooked(url: string, acknowledged: readonly string[]): Promise<void> {
  const counts = await until('every acknowledged answer is in the ledger', async () => {
    const found = await ledgerCounts(url);
    return acknowledged.every((id) => found.has(id)) ? found : null;
  });
  for (const id of acknowledged) assert.equal(counts.get(id), 1, id);
}

interface Place {
  readonly dataDir: string;
  start(): Promise<GatewayProcess>;
}

/** A folder to start the program in; what still runs in it at the end is ended. */
function place(t: TestContext): Place {
  const dataDir = temporaryFolder(t);
  return {
    dataDir,
    async start() {
      const gateway = await startGatewayProcess(dataDir);
      afterwards(t, () => gateway.child.kill('SIGKILL'));
      return gateway;
    },
  };
}

test(`${KILLS} times killed under load: every acknowledged answer is booked once`, async (t) => {
  const { dataDir, start } = place(t);
  const acknowledged: string[] = [];
  let gateway = await start();
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const load = startLoad(gateway.url);
    const enough = 10 + kill * 3; // another moment each time
    await until('some answers came', () => load.acknowledged.length >= enough);

    await gateway.kill('SIGKILL');
    await load.stop();
    acknowledged.push(...load.acknowledged);
    gateway = await start();
  }

  await assertAllBooked(gateway.url, acknowledged);
  t.diagnostic(`${acknowledged.length} answers acknowledged over ${KILLS} kills`);
  await gateway.kill('SIGTERM');
  const database = new DatabaseSync(join(dataDir, 'esclusa.sqlite'));
  assert.equal(database.prepare('pragma integrity_check').get()?.integrity_check, 'ok');
  database.close();
});

test('with the database held for 30 s, then killed: nothing fails, nothing is lost', async (t) => {
  const { dataDir, start } = place(t);
  const gateway = await start();
  const other = new DatabaseSync(join(dataDir, 'esclusa.sqlite'), { timeout: 10_000 });
  other.exec('begin exclusive');
  const heldFromMs = performance.now();
  const load = startLoad(gateway.url);

  await until(
    'the lock was held long enough',
    () => performance.now() - heldFromMs >= LOCK_MS,
    LOCK_MS + 5000,
  );
  const whileHeld = load.acknowledged.length;
  await gateway.kill('SIGKILL');
  await load.stop();
  other.exec('rollback');
  other.close();
  const again = await start();

  t.diagnostic(`${whileHeld} answers while the database was held`);
  assert.ok(whileHeld > 100, `${whileHeld} answers while the database was held`);
  assert.deepEqual(load.refused, []);
  await assertAllBooked(again.url, load.acknowledged);
  await again.kill('SIGTERM');
});
