/**
 * The reference: a valid OpenAPI 3.1 document of every route, and a page that needs nothing
 * from another host.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import {
  endpointFamilies,
  inferenceEndpoints,
  modelRoutes,
  responseRoutes,
} from '../../../src/http/index.ts';
import { type AdminFixture, createAdminFixture } from './fixture.ts';

interface OpenApi {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
}

interface Operation {
  readonly security?: unknown;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly responses?: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema?: { readonly type?: string };
  }[];
}

const GEMINI_VERBS = [
  'generateContent',
  'streamGenerateContent',
  'countTokens',
  'embedContent',
  'batchEmbedContents',
];

describe('the reference of the interface', () => {
  let fixture: AdminFixture;
  let document: OpenApi;
  before(async () => {
    const store = { get: async () => null, delete: async () => false };
    const routes = [modelRoutes(() => ({ list: () => [] })), responseRoutes(store)];
    fixture = await createAdminFixture({}, { routes });
    document = (await fixture.call(null, '/openapi.json')).json();
  });
  after(() => fixture.app.close());

  it('is an OpenAPI 3.1 document with every route and what it is for', () => {
    assert.match(document.openapi, /^3\.1\./);
    const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    for (const expected of [
      'POST /api/v1/keys',
      'DELETE /api/v1/keys/{id}',
      'GET /api/v1/usage',
      'GET /health/live',
      'GET /v1/models/{id}',
      'GET /v1beta/models',
      'GET /v1/responses/{id}',
      'DELETE /v1/responses/{id}',
      'GET /v1/responses/{id}/input_items',
      ...inferenceEndpoints.map(({ path }) => `POST ${path}`),
    ]) {
      assert.equal(operations.includes(expected), true, expected);
    }
    for (const [path, methods] of Object.entries(document.paths)) {
      assert.doesNotMatch(path, /\*/);
      for (const { summary, tags } of Object.values(methods)) {
        assert.notEqual(summary, undefined, path);
        assert.equal(tags?.length, 1, path);
      }
    }
    assert.equal(
      operations.some((operation) => operation.includes('/docs')),
      false,
    );
  });

  it('describes every endpoint that has the model in its path, below both prefixes', () => {
    const [family] = endpointFamilies;
    for (const prefix of ['/v1beta', '/v1']) {
      for (const verb of GEMINI_VERBS) {
        const path = `${prefix}/models/{model}:${verb}`;
        const operation = document.paths[path]?.post;
        assert.notEqual(family?.find(path.replace('{model}', 'fast'), ''), undefined, path);
        assert.deepEqual(
          operation?.parameters?.map(({ name, in: place }) => `${place} ${name}`),
          ['path model'],
          path,
        );
      }
    }
    const listed = Object.keys(document.paths).filter((path) => path.includes('{model}:'));
    assert.equal(listed.length, 2 * GEMINI_VERBS.length);
  });

  it('says of the number of rows that it is one, and how many there are at most', () => {
    const parameters = document.paths['/api/v1/keys']?.get?.parameters;
    const limit = parameters?.find(({ name }) => name === 'limit');
    assert.equal(limit?.schema?.type, 'integer');
    assert.match(JSON.stringify(limit), /At most 200/);
  });

  it('says which routes need no key', () => {
    assert.deepEqual(document.paths['/health/live']?.get?.security, []);
    assert.equal(document.paths['/api/v1/keys']?.get?.security, undefined);
  });

  it('says of every route that needs a key how it refuses', () => {
    for (const [path, methods] of Object.entries(document.paths)) {
      for (const [method, { security, responses }] of Object.entries(methods)) {
        if (security !== undefined) continue;
        assert.notEqual(responses?.default, undefined, `${method} ${path}`);
      }
    }
  });

  it('names no other host in the page and lets the browser load none', async () => {
    const page = await fixture.call(null, '/docs/');
    const script = await fixture.call(null, '/docs/js/scalar.js');

    const policy = String(page.headers['content-security-policy']);
    assert.equal(page.statusCode, 200);
    assert.doesNotMatch(page.body, /https?:\/\//);
    assert.doesNotMatch(policy, /https?:|unsafe-eval|script-src[^;]*unsafe-inline/);
    assert.match(policy, /script-src 'self' 'sha256-/);
    const inline =
      /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(page.body)?.[1] ?? '';
    const hash = createHash('sha256').update(inline).digest('base64');
    assert.equal(policy.includes(hash), true);
    assert.match(String(script.headers['content-type']), /javascript/);
    assert.equal(script.body.length > 1_000_000, true);
  });

  it('is sent compressed to who takes that', async () => {
    const headers = { 'accept-encoding': 'br, gzip' };
    const plain = await fixture.call(null, '/openapi.json');

    const packed = await fixture.call(null, { url: '/openapi.json', headers });

    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.equal(gunzipSync(packed.rawPayload).toString(), plain.body);
    assert.equal(plain.headers['content-encoding'], undefined);
  });

  it('leads from /docs to the page', async () => {
    const answer = await fixture.call(null, '/docs');

    assert.equal(answer.statusCode, 301);
    assert.equal(answer.headers.location, '/docs/');
  });
});
