/**
 * One kept connection to each worker of a program that shares a port, so that a test can say
 * which of them it asks. Workers are told apart by the header that names them.
 */
import { Agent, type IncomingHttpHeaders, request } from 'node:http';
import { ADMIN_KEY } from './gateway.ts';
import { until } from './until.ts';

export interface WorkerLine {
  /** As `x-esclusa-worker` names it. */
  readonly worker: string;
  readonly pid: number;
  ask(method: string, path: string, body?: unknown, key?: string): Promise<LineAnswer>;
  close(): void;
}

export interface LineAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Whatever the route answers; tests look into it. null: no JSON. */
  readonly body: ReturnType<typeof JSON.parse>;
}

const ANSWER_MS = 20_000;

/** Resolves when `count` workers have answered, with a line to each. */
export async function lineToEach(url: string, count: number): Promise<WorkerLine[]> {
  const lines = new Map<string, WorkerLine>();
  await until(`${count} workers answer`, async () => {
    const line = await openLine(url).catch(() => null);
    if (line === null || lines.has(line.worker)) line?.close();
    else lines.set(line.worker, line);
    return lines.size === count;
  });
  return [...lines.values()].sort((one, other) => one.pid - other.pid);
}

/** To whichever worker takes the connection. */
export async function openLine(url: string): Promise<WorkerLine> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const path = '/v1/models/nobody';
  const { headers } = await ask(agent, url, { method: 'GET', path, key: ADMIN_KEY });
  const worker = String(headers['x-esclusa-worker']);
  return {
    worker,
    pid: Number(worker.split('-').at(-1)),
    ask: (method, asked, body, key = ADMIN_KEY) =>
      ask(agent, url, { method, path: asked, key, ...(body === undefined ? {} : { body }) }),
    close: () => agent.destroy(),
  };
}

interface Question {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly key: string;
}

function ask(agent: Agent, url: string, question: Question): Promise<LineAnswer> {
  const { method, path, body, key } = question;
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  return new Promise((resolve, reject) => {
    const asking = request(`${url}${path}`, { method, agent, headers }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0 } = response;
        const isJson = response.headers['content-type']?.includes('json') === true;
        const parsed = isJson ? JSON.parse(text) : null;
        resolve({ status: statusCode, headers: response.headers, text, body: parsed });
      });
    });
    asking.on('error', reject);
    asking.setTimeout(ANSWER_MS, () => asking.destroy(new Error('no answer')));
    asking.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
