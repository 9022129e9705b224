/**
 * Esclusa as a subject: started by its own command, configured by a file, called with a key that
 * it issued itself. After the start it is asked whether what a profile claims is true: that a
 * call is in the ledger with its cost, that a repeated call is a hit.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { Child } from '../processes/children.ts';
import { freePort, until } from '../processes/wait.ts';
import type { Stage } from '../stage.ts';
import {
  authAndLimits,
  configurationFile,
  everything,
  type Profile,
  proxyOnly,
} from './esclusa-profiles.ts';
import type { Subject, Variant, VariantId } from './subject.ts';

const COMMAND = fileURLToPath(new URL('../../bin/esclusa.mjs', import.meta.url));
const READY_TIMEOUT_MS = 20_000;
const READY_POLL_MS = 5;
const LEDGER_TIMEOUT_MS = 5000;

interface Launch {
  readonly child: Child;
  readonly origin: string;
  readonly adminKey: string;
  /** From the start of the process to the first `200` of `/health/ready`. */
  readonly readyMs: number;
}

export const proxyOnlyProfile = variant('proxy-only', 'Esclusa, proxy only', proxyOnly);
export const authProfile = variant('auth-limits', 'Esclusa, + auth and limits', authAndLimits);
export const ledgerProfile = variant('ledger', 'Esclusa, everything on', everything);
export const cacheHitProfile = variant('cache-hit', 'Esclusa, everything on, hit', everything);

function variant(id: VariantId, label: string, profile: Profile): Variant {
  return { id, label, start: (stage) => startSubject(stage, profile, id === 'cache-hit') };
}

/** Starts a profile on a fresh data folder and issues its key. */
async function startSubject(stage: Stage, profile: Profile, isCached: boolean): Promise<Subject> {
  const dataDir = mkdtempSync(join(stage.scratch, 'data-'));
  const { child, origin, adminKey } = await launch(stage, profile, dataDir);
  const key = profile.key === null ? adminKey : await issueKey(origin, adminKey, profile.key);
  return {
    pid: child.pid,
    origin,
    headers: { authorization: `Bearer ${key}` },
    isCached,
    async verify(answerHeaders) {
      const cache = String(answerHeaders['x-cache']);
      const expected = expectedCache(profile, isCached, answerHeaders);
      if (!expected.includes(cache)) throw new Error(`x-cache is ${cache}, not ${expected[0]}`);
      const id = String(answerHeaders['x-request-id']);
      await checkLedger(origin, adminKey, id, !isCached, stage.signal);
    },
    async stop() {
      await child.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** What `x-cache` may say; a stream is no claim of the cache, so it may also be passed by. */
function expectedCache(
  profile: Profile,
  isCached: boolean,
  answerHeaders: Readonly<Record<string, unknown>>,
): readonly string[] {
  if (isCached) return ['HIT'];
  if (profile !== everything) return ['BYPASS'];
  const isStream = String(answerHeaders['content-type']).startsWith('text/event-stream');
  return isStream ? ['MISS', 'BYPASS'] : ['MISS'];
}

/** Starts `esclusa start` and waits until it is ready. */
export async function launch(
  stage: Stage,
  profile: Profile,
  dataDir: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Launch> {
  const file = join(dataDir, 'esclusa.yaml');
  writeFileSync(file, configurationFile(profile, stage.upstream.origin));
  const port = await freePort();
  const adminKey = `bench-${randomBytes(24).toString('hex')}`;
  const startedMs = performance.now();
  const child = stage.children.spawn({
    name: 'esclusa',
    args: [COMMAND, 'start'],
    core: stage.cores.subject,
    env: {
      HOST: '127.0.0.1',
      PORT: String(port),
      ENVIRONMENT: 'production',
      ESCLUSA_CONFIG: file,
      ESCLUSA_DATA_DIR: dataDir,
      ESCLUSA_ADMIN_KEY: adminKey,
      LOG_LEVEL: profile.logLevel,
      ...more,
    },
  });
  const origin = `http://127.0.0.1:${port}`;
  await until(() => isReady(origin, child), {
    what: 'Esclusa did not become ready',
    deadlineMs: READY_TIMEOUT_MS,
    everyMs: READY_POLL_MS,
    signal: stage.signal,
  });
  return { child, origin, adminKey, readyMs: performance.now() - startedMs };
}

async function isReady(origin: string, child: Child): Promise<boolean> {
  if (child.ended()) throw new Error(`Esclusa ended while it started\n${child.output()}`);
  try {
    const { statusCode, body } = await request(`${origin}/health/ready`);
    await body.dump();
    return statusCode === 200;
  } catch {
    return false;
  }
}

export async function issueKey(origin: string, adminKey: string, wishes: object): Promise<string> {
  const { statusCode, body } = await request(`${origin}/api/v1/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', ...wishes }),
  });
  const text = await body.text();
  if (statusCode !== 201) throw new Error(`no key: ${statusCode} ${text.slice(0, 300)}`);
  return (JSON.parse(text) as { key: string }).key;
}

/** Resolves once the ledger knows the call, with its cost where the upstream was paid for. */
export async function checkLedger(
  origin: string,
  adminKey: string,
  id: string,
  isPaid: boolean,
  signal: AbortSignal,
): Promise<void> {
  const headers = { authorization: `Bearer ${adminKey}` };
  let row: { cost_nanousd?: unknown } = {};
  await until(
    async () => {
      const { statusCode, body } = await request(`${origin}/api/v1/requests/${id}`, { headers });
      const text = await body.text();
      if (statusCode === 200) row = JSON.parse(text) as typeof row;
      return statusCode === 200;
    },
    { what: `no ledger row ${id}`, deadlineMs: LEDGER_TIMEOUT_MS, everyMs: 50, signal },
  );
  if (Number(row.cost_nanousd) > 0 !== isPaid) {
    throw new Error(`the ledger books ${String(row.cost_nanousd)} nano-dollars for call ${id}`);
  }
}
