/**
 * Goal: every refusal of somebody is JSON, says nothing of the inside, and is told as a security
 * event with who called, of which tenant and from where (what all attack rows expect).
 * Method: the command as a process of its own, behind a proxy that it trusts, saying no more
 * than its warnings; the line of each refusal is found by the request's identifier.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { temporaryFolder } from '../support/afterwards.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { type GatewayProcess, startGatewayProcess } from '../support/gateway-process.ts';
import { type Answered, call } from '../support/people.ts';
import { until } from '../support/until.ts';

const FROM = '203.0.113.9';
const CHAT = '/v1/chat/completions';
const KEYS = '/api/v1/keys';
const ASK = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };
const INSIDE = /node_modules|\.ts\b|\bat \w|SELECT|sqlite|Error:|127\.0\.0\.1/;

const folder = temporaryFolder({ after });
let gateway: GatewayProcess;
let written = '';
/** A key of a tenant with one model and one scope. */
let key: { readonly id: string; readonly secret: string };

before(async () => {
  const file = join(folder, 'esclusa.yaml');
  await writeFile(file, "http: { trusted_proxies: '127.0.0.1, ::1' }\n");
  const env = { LOG_LEVEL: 'warn', ESCLUSA_CONFIG: file };
  gateway = await startGatewayProcess(join(folder, 'data'), env);
  gateway.child.stdout?.on('data', (chunk) => {
    written += chunk;
  });
  const admin = { token: ADMIN_KEY };
  await call(gateway.url, 'POST', '/api/v1/tenants', {
    ...admin,
    body: { slug: 'acme', name: 'Acme' },
  });
  const body = { name: 'k', tenant: 'acme', models: ['other'], scopes: ['models.call'] };
  const made = await call(gateway.url, 'POST', KEYS, { ...admin, body });
  key = { id: made.body.id, secret: made.body.key };
});
after(() => gateway.child.kill('SIGKILL'));

interface Refusal {
  readonly what: string;
  readonly path: string;
  readonly token?: () => string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  readonly code: string;
  readonly isKnown?: boolean;
}

const wrong = () => 'esk_wrong_key_that_nobody_has_00000000000000000';
const good = () => key.secret;
const REFUSALS: readonly Refusal[] = [CHAT, '/v1/messages', '/v1/responses', KEYS].flatMap(
  (path): readonly Refusal[] => [
    { what: 'no credential', path, status: 401, code: 'credentials_missing' },
    { what: 'a wrong one', path, token: wrong, status: 401, code: 'credentials_invalid' },
    {
      ...{ what: 'two', path, token: wrong, headers: { 'x-api-key': 'esk_another' } },
      ...{ status: 400, code: 'credentials_conflicting' },
    },
    {
      ...{ what: 'one in the address', path: `${path}?key=abc`, token: wrong },
      ...{ status: 400, code: 'credentials_in_query' },
    },
    {
      ...{ what: 'another scheme', path, headers: { authorization: 'Basic YTpi' } },
      ...{ status: 401, code: 'credentials_invalid' },
    },
  ],
);
const KNOWN: readonly Refusal[] = [
  { what: 'no such scope', path: KEYS, status: 403, code: 'permission_denied' },
  { what: 'no such model', path: CHAT, status: 403, code: 'model_not_allowed' },
].map((each) => ({ ...each, token: good, isKnown: true }));

interface Asked extends Refusal {
  readonly answer: Answered;
}

async function ask(refusal: Refusal): Promise<Asked> {
  const { path, token, headers } = refusal;
  const isModel = path.startsWith('/v1');
  const answer = await call(gateway.url, isModel ? 'POST' : 'GET', path, {
    ...(token !== undefined && { token: token() }),
    headers: { ...headers, 'x-forwarded-for': `198.51.100.1, ${FROM}` },
    ...(isModel && { body: ASK }),
  });
  return { ...refusal, answer };
}

test('every refusal is JSON, says nothing internal, and leaves a security event', async () => {
  const asked = await Promise.all([...REFUSALS, ...KNOWN].map(ask));
  const idOf = ({ answer }: Asked): string => answer.headers.get('x-request-id') ?? '';
  await until('all lines are written', () => asked.every((each) => lineOf(idOf(each)) !== null));

  for (const each of asked) {
    const { what, path, answer, status, code, isKnown = false } = each;
    const where = `${what} at ${path}`;
    const line = lineOf(idOf(each)) as Line;
    assert.equal(answer.status, status, where);
    assert.match(answer.headers.get('content-type') ?? '', /^application\/json/, where);
    assert.doesNotMatch(JSON.stringify(answer.body), INSIDE, where);
    const { level, event, address, error_code, key_id = null, context } = line;
    assert.deepEqual({ level, event, address, error_code }, TOLD(code), where);
    assert.equal(key_id, isKnown ? key.id : null, where);
    assert.equal(context.tenant ?? line.tenant ?? null, isKnown ? 'acme' : null, where);
  }
});

const TOLD = (error_code: string) => ({
  level: 'warn',
  event: 'security',
  address: FROM,
  error_code,
});

interface Line extends Readonly<Record<string, unknown>> {
  readonly context: Readonly<Record<string, unknown>>;
}

function lineOf(id: string): Line | null {
  const lines = written.slice(0, written.lastIndexOf('\n') + 1).split('\n');
  const found = lines.find((line) => line.startsWith('{"level"') && line.includes(id));
  return found === undefined ? null : (JSON.parse(found) as Line);
}
