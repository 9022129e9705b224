/**
 * Goal: what everybody may read tells nothing of the installation, and nothing a vendor says of
 * its key gets out (attacks H4 and H5).
 * Method: the whole program over real sockets, every public route of its own reference, unknown
 * paths, wrong methods and failures; what must not be told is searched for in head and body.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { operationsOf } from '../support/random-walk/operations.ts';
import { sendRaw } from '../support/raw-http.ts';
import {
  type ScriptedUpstream,
  startScriptedUpstream,
} from '../support/scripted-upstream/index.ts';

const VENDOR_KEY = 'vendor-key-without-any-form-4471';
const TENANT = 'tenant-nobody-may-hear-of';
const root = new URL('../../../', import.meta.url);
const { dependencies } = JSON.parse(readFileSync(new URL('server/package.json', root), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};

/** As a word: the name of a machine may be two letters. */
const HOST = new RegExp(`\\b${hostname()}\\b`);

let upstream: ScriptedUpstream;
let gateway: TestGateway;
let keyId: string;
let secret: string;

before(async () => {
  upstream = await startScriptedUpstream();
  const up = { kind: 'openai-compatible', base_url: upstream.url, api_key: VENDOR_KEY };
  const far = { targets: [{ provider: 'up', model: 'far' }] };
  gateway = await startGateway({
    config: { providers: { up }, models: { far }, resilience: { retry: { attempts: 1 } } },
  });
  await gateway.api('POST', '/api/v1/tenants', { slug: TENANT, name: 'Nobody' });
  ({ id: keyId, secret } = await gateway.key({ tenant: TENANT }));
  assert.equal((await gateway.chat({ model: 'mock', messages: [] }, secret)).status < 500, true);
});
after(async () => {
  await gateway.close();
  await upstream.close();
});

/** What nobody without a credential may read, by what it is. */
function told(text: string): string[] {
  const secrets: Record<string, string> = {
    ...{ folder: gateway.folder, repository: new URL('.', root).pathname, tenant: TENANT },
    ...{ key: keyId, secret, vendorKey: VENDOR_KEY, upstream: new URL(upstream.url).host },
    ...{ node: process.version, nodeBare: process.versions.node },
  };
  if (hostname().length > 5) secrets.host = hostname();
  const found = Object.entries(secrets).filter(([, value]) => text.includes(value));
  const versions = Object.entries(dependencies).filter(([name, version]) =>
    new RegExp(`\\b${name.replaceAll(/[^\w]/g, '.')}\\W{1,5}${version}`).test(text),
  );
  const frames = /\bat .*\.ts:\d+|node_modules|node:internal/.test(text) ? ['a stack'] : [];
  return [...found.map(([name]) => name), ...versions.map(([name]) => name), ...frames];
}

test('H4: what is public tells no host, path, tenant, key or version of a part', async () => {
  const operations = await operationsOf(gateway);
  const paths = new Set(operations.map(({ path }) => path.replaceAll(/\{[^}]+\}/g, 'x')));
  for (const path of ['/', '/docs', '/docs/', '/openapi.json', '/version', '/metrics', '/.env']) {
    paths.add(path);
  }
  for (const path of ['/main.ts', '/server/src/main.ts', '/docs/js/scalar.js.map', '/.git/HEAD']) {
    paths.add(path);
  }
  let open = 0;
  for (const path of paths) {
    for (const method of ['GET', 'HEAD', 'TRACE', 'OPTIONS', 'PUT', 'POST']) {
      const lines = [`${method} ${path} HTTP/1.1`, 'host: x', 'connection: close'];
      lines.push('x-canary: canary-in-a-header', 'content-length: 0');
      const done = (text: string) => method === 'HEAD' && text.includes('\r\n\r\n');
      const raw = await sendRaw(gateway.url, [`${lines.join('\r\n')}\r\n\r\n`], done);
      assert.ok(raw.status < 500 || raw.status === 501, `${method} ${path}: ${raw.status}`);
      // Scalar's own bundle names what it was made of; it is the same for everybody.
      const text = path === '/docs/js/scalar.js' ? raw.head : `${raw.head}\n${raw.body}`;
      assert.deepEqual(told(text), [], `${method} ${path}`);
      assert.ok(!raw.body.includes('canary-in-a-header'), `${method} ${path} echoes`);
      assert.doesNotMatch(raw.head, /^(server|x-powered-by|via):/im, path);
      assert.doesNotMatch(raw.head, HOST, path);
      if (raw.status === 200) open += 1;
    }
  }
  assert.ok(open >= 8, `only ${open} answers`);
  const hidden = await Promise.all(
    [
      '/metrics',
      '/cache/stats',
      '/cache/health',
      '/api/v1/health/database',
      '/version',
      '/.env',
    ].map(async (path) => (await fetch(`${gateway.url}${path}`)).status),
  );
  assert.deepEqual(hidden, [401, 401, 401, 401, 404, 404]);
});

test('H4: the figures name no tenant, no key and no secret', async () => {
  const { status, body } = await gateway.api('GET', '/metrics');

  assert.equal(status, 200);
  const text = String(body);
  for (const each of [TENANT, keyId, secret, VENDOR_KEY]) assert.ok(!text.includes(each), each);
});

test('H5: a vendor that quotes its key is a 502 without it, whatever its error says', async () => {
  const quoted = [
    { status: 401, body: { error: { message: `Incorrect API key provided: ${VENDOR_KEY}` } } },
    { status: 403, body: { error: { message: 'no', code: VENDOR_KEY, param: VENDOR_KEY } } },
    { status: 500, body: { error: { message: `Bearer ${VENDOR_KEY} failed`, type: VENDOR_KEY } } },
    { status: 401, body: `<html>${VENDOR_KEY}</html>` },
    { status: 401, body: { detail: { headers: { authorization: `Bearer ${VENDOR_KEY}` } } } },
  ];
  for (const { status, body } of quoted) {
    for (const stream of [false, true]) {
      upstream.script('far', {
        status,
        headers: { 'content-type': 'application/json', 'x-their-key': VENDOR_KEY },
        body: typeof body === 'string' ? body : JSON.stringify(body),
      });
      const ask = { model: 'far', messages: [{ role: 'user', content: 'x' }], stream };
      const answer = await gateway.chat(ask, secret);
      const text = await answer.text();

      assert.equal(answer.status, 502, text);
      assert.ok(!text.includes(VENDOR_KEY), text);
      for (const [name, value] of answer.headers) assert.ok(!value.includes(VENDOR_KEY), name);
    }
  }
});
