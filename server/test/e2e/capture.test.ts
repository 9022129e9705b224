/**
 * Goal: while keeping is off, no byte of a prompt is anywhere but in memory; while it is on,
 * what was asked and given is in its table, exactly, and nowhere else (attack H3).
 * Method: the whole program over sockets; a text planted in prompts is looked for, byte by byte,
 * in every file of the data directory, in the log at its most talkative and in the meters.
 */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { startGatewayProcess } from '../support/gateway-process.ts';
import { filesWith } from '../support/planted.ts';
import { until } from '../support/until.ts';

const CANARY = 'canary-7c1e-el-prompt-plantado';
const MAX_BYTES = 20_000;
const BROKEN = 'mock/mock:cut=2';
/** Of `plantEverywhere`: a wrong key and a wrong path have none. */
const LEDGER_ROWS = 9;

interface Detail {
  readonly status: number;
  readonly outcome: string;
  readonly cache: string;
  readonly request_body?: string | null;
  readonly request_body_truncated?: boolean;
  readonly response_body?: string | null;
  readonly response_body_truncated?: boolean;
}

function prompt(changes: Readonly<Record<string, unknown>> = {}) {
  return { model: 'mock', messages: [{ role: 'user', content: CANARY }], ...changes };
}

function post(url: string, body: string, key = ADMIN_KEY): Promise<Response> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
}

/** Every way an exchange can go: plain, streamed, stored, failed, broken, refused, not JSON. */
async function plantEverywhere(url: string): Promise<void> {
  for (const body of [
    prompt(),
    prompt({ stream: true }),
    prompt({ temperature: 0 }),
    prompt({ temperature: 0 }),
    prompt({ model: 'mock/mock:status=500' }),
    prompt({ model: BROKEN, stream: true }),
    prompt({ model: 'no-such-model' }),
    prompt({ temperature: CANARY }),
  ]) {
    await (await post(url, JSON.stringify(body))).text();
  }
  await (await post(url, `{"messages":"${CANARY}"`)).text();
  await (await post(url, JSON.stringify(prompt()), 'esk_wrong')).text();
  await (await fetch(`${url}/v1/${CANARY}`, { method: 'POST', body: CANARY })).text();
}

/** Runs the program on a data directory of its own; answers what it said until it had ended. */
async function whileRunning(
  capture: Readonly<Record<string, unknown>>,
  use: (url: string, dataDir: string) => Promise<void>,
): Promise<{ readonly said: string; readonly dataDir: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'esclusa-capture-'));
  after(() => rm(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const config = join(folder, 'esclusa.yaml');
  await writeFile(config, JSON.stringify({ drain_delay_seconds: 0, capture }));
  const program = await startGatewayProcess(dataDir, {
    ESCLUSA_CONFIG: config,
    LOG_LEVEL: 'debug',
  });
  let said = '';
  for (const output of [program.child.stdout, program.child.stderr]) {
    output?.on('data', (chunk) => {
      said += chunk;
    });
  }
  await use(program.url, dataDir);
  await program.kill('SIGTERM');
  return { said, dataDir };
}

async function read(url: string, path: string): Promise<string> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}` };
  return (await fetch(`${url}${path}`, { headers })).text();
}

/** Plants, and answers the meters and the rows as they are told. */
async function plantAndLook(url: string): Promise<{ metrics: string; rows: string }> {
  await plantEverywhere(url);
  const rows = await until('the ledger has the rows', async () => {
    const list = await read(url, '/api/v1/requests');
    return (JSON.parse(list) as { data: unknown[] }).data.length === LEDGER_ROWS ? list : null;
  });
  return { metrics: await read(url, '/metrics'), rows };
}

/** The tables of a closed database that hold the text in any column. */
function tablesWith(file: string, text: string): readonly string[] {
  const database = new DatabaseSync(file, { readOnly: true });
  try {
    const tables = database.prepare("select name from sqlite_master where type = 'table'").all();
    return tables
      .map(({ name }) => String(name))
      .filter((name) =>
        database
          .prepare(`select * from "${name}"`)
          .all()
          .some((row) =>
            Object.values(row).some((value) =>
              Buffer.from(value instanceof Uint8Array ? value : String(value)).includes(text),
            ),
          ),
      );
  } finally {
    database.close();
  }
}

describe('a prompt that is planted in every way an exchange can go', () => {
  it('is nowhere while bodies are not kept, which is the default', async () => {
    let told = { metrics: '', rows: '' };
    const { said, dataDir } = await whileRunning({}, async (url, folder) => {
      told = await plantAndLook(url);
      assert.deepEqual(filesWith(folder, CANARY), []);
    });

    assert.ok(said.includes('"message":"request completed"'), 'the log was read');
    assert.ok(told.metrics.includes('esclusa_requests_total'), 'the meters were read');
    assert.ok(!said.includes(CANARY));
    assert.ok(!told.metrics.includes(CANARY));
    assert.ok(!told.rows.includes(CANARY));
    assert.deepEqual(filesWith(dataDir, CANARY), []);
  });

  it('is in the table of bodies and nowhere else while they are kept', async () => {
    let told = { metrics: '', rows: '' };
    const { said, dataDir } = await whileRunning({ enabled: true }, async (url) => {
      told = await plantAndLook(url);
    });

    assert.ok(!said.includes(CANARY));
    assert.ok(!told.metrics.includes(CANARY));
    assert.ok(!told.rows.includes(CANARY));
    assert.match(told.metrics, /^esclusa_bodies_dropped_total 0$/m);
    // The database's own log is part of the database until it is folded in.
    const holders = filesWith(dataDir, CANARY).map((name) => name.replace(/-wal$/, ''));
    assert.deepEqual([...new Set(holders)], ['esclusa.sqlite']);
    assert.deepEqual(tablesWith(join(dataDir, 'esclusa.sqlite'), CANARY), ['bodies']);
    assert.deepEqual(filesWith(dataDir, ADMIN_KEY), [], 'no credential is among them');
  });
});

describe('what is kept of an exchange', () => {
  let gateway: TestGateway;
  const capture = { enabled: true, max_bytes: MAX_BYTES };
  before(async () => {
    gateway = await startGateway({ config: { capture } });
  });
  after(() => gateway.close());

  async function detailOf(answer: Response, key?: string): Promise<Detail> {
    const id = answer.headers.get('x-request-id');
    const { status, body } = await gateway.api('GET', `/api/v1/requests/${id}`, undefined, key);
    assert.equal(status, 200);
    return body as Detail;
  }

  for (const [what, body] of [
    ['a complete answer', prompt()],
    ['a stream, to its end marker', prompt({ stream: true })],
    ['an answer in another tongue', prompt({ messages: [{ role: 'user', content: '¿Qué? 🚣' }] })],
    ['an error', prompt({ model: 'mock/mock:status=500' })],
    ['a stream that broke, with its error event', prompt({ model: BROKEN, stream: true })],
    ['a refusal', prompt({ model: 'no-such-model' })],
  ] as const) {
    it(`is ${what}, as the client sent and got it`, async () => {
      const sent = JSON.stringify(body, null, 1);

      const answer = await gateway.chat(sent);
      const got = await answer.text();

      const detail = await detailOf(answer);
      assert.equal(detail.request_body, sent);
      assert.equal(detail.response_body, got);
      assert.equal(detail.request_body_truncated, false);
      assert.equal(detail.response_body_truncated, false);
    });
  }

  it('is a stored answer, too', async () => {
    const sent = prompt({ temperature: 0 });
    const first = await gateway.chat(sent);
    const got = await first.text();

    const second = await gateway.chat(sent);
    await second.text();

    const detail = await detailOf(second);
    assert.equal(detail.cache, 'HIT');
    assert.equal(detail.response_body, got);
  });

  it('is the beginning of what is longer, and says so', async () => {
    const user = 'u'.repeat(MAX_BYTES);
    const sent = JSON.stringify(prompt({ model: 'mock/mock:tokens=9000', user }));

    const answer = await gateway.chat(sent);
    const got = await answer.text();

    const detail = await detailOf(answer);
    const kept = detail.response_body ?? '';
    assert.equal(detail.request_body, sent.slice(0, MAX_BYTES));
    assert.equal(detail.request_body_truncated, true);
    assert.equal(detail.response_body_truncated, true);
    assert.ok(got.startsWith(kept) && !kept.includes('\ufffd'));
    assert.ok(Buffer.byteLength(kept) > MAX_BYTES - 4 && Buffer.byteLength(kept) <= MAX_BYTES);
  });

  it('is what went out until the client left', async () => {
    const leaving = new AbortController();
    const body = prompt({ model: 'mock/mock:tokens=500,tps=50', stream: true });
    const answer = await gateway.chat(body, ADMIN_KEY, { signal: leaving.signal });
    const reader = answer.body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    leaving.abort();
    await reader?.closed.catch(() => undefined);

    const detail = await until('its row is there', async () => {
      const id = answer.headers.get('x-request-id');
      const { status, body: row } = await gateway.api('GET', `/api/v1/requests/${id}`);
      return status === 200 && row.response_body !== null ? (row as Detail) : null;
    });

    assert.equal(detail.outcome, 'aborted');
    assert.ok(detail.response_body?.startsWith(Buffer.from(value ?? []).toString()));
    assert.ok(!detail.response_body?.includes('[DONE]'));
  });

  it('is nothing of a body that is no request, and what it was answered', async () => {
    const answer = await gateway.chat(`{"messages":"${CANARY}"`);
    const got = await answer.text();

    const detail = await detailOf(answer);
    assert.equal(detail.request_body, null);
    assert.equal(detail.response_body, got);
  });

  it('is shown to admins of the tenant, not to a plain key, not to another tenant', async () => {
    await gateway.api('POST', '/api/v1/tenants', { slug: 'acme', name: 'Acme' });
    await gateway.api('POST', '/api/v1/tenants', { slug: 'globex', name: 'Globex' });
    const plain = await gateway.key({ tenant: 'acme', role: 'service' });
    const admin = await gateway.key({ tenant: 'acme', role: 'admin' });
    const other = await gateway.key({ tenant: 'globex', role: 'admin' });

    const answer = await gateway.chat(prompt(), plain.secret);
    await answer.text();

    const id = answer.headers.get('x-request-id');
    const own = await detailOf(answer, plain.secret);
    assert.equal('request_body' in own || 'response_body' in own, false);
    assert.ok((await detailOf(answer, admin.secret)).request_body?.includes(CANARY));
    assert.ok((await detailOf(answer)).request_body?.includes(CANARY));
    const foreign = await gateway.api('GET', `/api/v1/requests/${id}`, undefined, other.secret);
    assert.equal(foreign.status, 404);
    assert.ok(!JSON.stringify(foreign.body).includes(CANARY));
    const list = await gateway.api('GET', '/api/v1/requests');
    assert.ok(!JSON.stringify(list.body).includes(CANARY));
  });

  it('follows the switch at once, without a restart', async () => {
    const askNow = async () => {
      const answer = await gateway.chat(prompt());
      await answer.text();
      return detailOf(answer);
    };

    await gateway.configure({ capture: { ...capture, enabled: false } });
    const off = await askNow();
    await gateway.configure({ capture });
    const on = await askNow();

    assert.deepEqual([off.request_body, off.response_body], [null, null]);
    assert.ok(on.request_body?.includes(CANARY));
  });
});
