/**
 * Goal: an upstream that sends too much costs a bounded part of memory and of everybody's time
 * (U10). Method: the gateway as a process of its own, whose memory the kernel tells. What V8 lets
 * lie before it collects it, some 150 MiB, is no request's: a large stream goes before. A delay is
 * counted in the processor's time that the gateway takes for itself between two turns of its
 * event loop: what other programs take of the machine does not count.
 */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import {
  type Behaviour,
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';
import { until } from '../support/until.ts';

const SAMPLER = new URL('../support/turns.ts', import.meta.url).href;
const MIB = 1024 * 1024;
const MOST_GROWTH_MIB = 64;
const MOST_TURN_MS = 50;
const ROUNDS = 3;
const WARM_UP_CALLS = 50;

let folder: string;
let turns: string;
let upstream: ScriptedUpstream;
let gateway: GatewayProcess;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'esclusa-sizes-'));
  upstream = await startScriptedUpstream();
  turns = join(folder, 'turns');
  await writeFile(turns, '');
  const file = join(folder, 'esclusa.yaml');
  const provider = `{ kind: openai-compatible, base_url: "${upstream.url}", api_key: k }`;
  await writeFile(file, `providers: { s: ${provider} }\nresilience: { retry: { attempts: 1 } }\n`);
  gateway = await startGatewayProcess(folder, {
    ...{ ESCLUSA_CONFIG: file, TURNS_FILE: turns, NODE_OPTIONS: `--import ${SAMPLER}` },
  });
  for (let call = 0; call < WARM_UP_CALLS; call += 1) await ask(call % 2 === 0);
  upstream.next(ENDLESS_LARGE);
  await ask(true);
});

after(async () => {
  await gateway.kill('SIGKILL');
  await upstream.close();
  await rm(folder, { recursive: true, force: true });
});

const HEADERS = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };

/** The status, and the code of the error in the body or in the last event. */
async function ask(stream: boolean): Promise<readonly [number, string | undefined]> {
  const messages = [{ role: 'user', content: 'Say hello.' }];
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: HEADERS,
    body: JSON.stringify({ model: 's/mock', stream, messages }),
  });
  let last = '';
  for await (const part of response.body ?? []) {
    last = `${last}${Buffer.from(part).toString('latin1')}`.slice(-500);
  }
  return [response.status, /"code":"([^"]+)"/.exec(last)?.[1]];
}

async function memoryMib(name: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${gateway.child.pid}/status`, 'utf8');
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
}

/** What a turn of the gateway's event loop took of the processor since the last time: p99. */
async function turnMs(): Promise<number> {
  let taken: number[] = [];
  await until('turns are told', async () => {
    taken = (await readFile(turns, 'utf8')).split('\n').filter(Boolean).map(Number);
    return taken.length > 0;
  });
  await writeFile(turns, '');
  return taken.toSorted((a, b) => a - b)[Math.ceil(taken.length * 0.99) - 1] ?? 0;
}

const SSE = { 'content-type': 'text/event-stream' };
const GZIP = { 'content-type': 'application/json', 'content-encoding': 'gzip' };
const BOMB = gzipSync(Buffer.alloc(256 * MIB));
const SPACES = Buffer.alloc(MIB, ' ');
const CHUNK = chunkOf('hello '.repeat(40));

const ENDLESS_LARGE: Behaviour = {
  ...{ headers: SSE, body: chunkOf('hello '.repeat((4 * MIB) / 6)) },
  repeat: Number.POSITIVE_INFINITY,
};

function chunkOf(content: string): string {
  const choices = [{ index: 0, delta: { content }, finish_reason: null }];
  const around = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'mock' };
  return `data: ${JSON.stringify({ ...around, choices })}\n\n`;
}

interface Case {
  readonly name: string;
  readonly behaviour: Behaviour;
  readonly stream: boolean;
  readonly expected: readonly [number, string];
}

const CASES: readonly Case[] = [
  {
    name: 'a body of 200 MiB',
    behaviour: { body: SPACES, repeat: 200 },
    stream: false,
    expected: [502, 'upstream_too_long'],
  },
  {
    name: 'an error of 65 MiB',
    behaviour: { status: 500, body: SPACES, repeat: 65 },
    stream: false,
    expected: [502, 'upstream_too_long'],
  },
  {
    name: 'one line of 64 MiB',
    behaviour: { headers: SSE, body: `data: {"x":"${'x'.repeat(64 * MIB)}` },
    stream: true,
    expected: [502, 'upstream_too_long'],
  },
  {
    name: 'a stream without end',
    behaviour: { headers: SSE, body: CHUNK.repeat(200), repeat: Number.POSITIVE_INFINITY },
    stream: true,
    expected: [200, 'upstream_too_long'],
  },
  {
    name: 'a stream of 4 MiB events without end',
    behaviour: ENDLESS_LARGE,
    stream: true,
    expected: [200, 'upstream_too_long'],
  },
  {
    name: 'a gzip bomb',
    behaviour: { headers: GZIP, body: BOMB },
    stream: false,
    expected: [502, 'upstream_invalid'],
  },
  {
    name: 'a gzip bomb in an error',
    behaviour: { status: 500, headers: GZIP, body: BOMB },
    stream: false,
    expected: [502, 'upstream_failed'],
  },
];

for (const { name, behaviour, stream, expected } of CASES) {
  test(`${name} is cut, for at most 64 MiB and no standstill`, async (t) => {
    let growthMib = Number.POSITIVE_INFINITY;
    let longestMs = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS; round += 1) {
      await turnMs();
      await writeFile(`/proc/${gateway.child.pid}/clear_refs`, '5'); // forgets the highest mark
      const beforeMib = await memoryMib('VmRSS');
      upstream.next(behaviour);
      assert.deepEqual(await ask(stream), expected);
      growthMib = Math.min(growthMib, (await memoryMib('VmHWM')) - beforeMib);
      longestMs = Math.min(longestMs, await turnMs());
      if (growthMib <= MOST_GROWTH_MIB && longestMs <= MOST_TURN_MS) break;
    }

    t.diagnostic(`${name}: ${growthMib.toFixed(0)} MiB, p99 of a turn ${longestMs} ms`);
    assert.ok(growthMib <= MOST_GROWTH_MIB, `${growthMib} MiB`);
    assert.ok(longestMs <= MOST_TURN_MS, `${longestMs} ms`);
  });
}
