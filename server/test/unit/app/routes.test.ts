/**
 * The routes of a configuration: what a name of a model leads to. Files are in memory, schema
 * and catalogue are the real ones.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buildRoutes } from '../../../src/app/routes.ts';
import type { Route } from '../../../src/gateway/model/route.ts';
import { loadText, testCatalogue } from '../../support/config.ts';

const NOW_MS = Date.parse('2026-11-20');

async function resolve(name: string, file: string | null, env = {}): Promise<Route | undefined> {
  const { config, settings, warnings } = await loadText(file, env);
  const generation = { number: 1, config, settings, warnings, loadedAtMs: NOW_MS };
  return buildRoutes(generation, await testCatalogue(), NOW_MS).resolve(name);
}

test('options of the built-in model may be asked for without naming its provider', async () => {
  const short = await resolve('mock:status=503', null);
  const long = await resolve('mock/mock:status=503', null);

  assert.deepEqual(short?.targets, long?.targets);
  assert.equal(short?.targets[0]?.model, 'mock:status=503');
  assert.equal(short?.targetSet, long?.targetSet);
});

test('an alias of that name wins', async () => {
  const file = 'models: { "mock:own": { targets: [{ provider: mock, model: mock }] } }';

  assert.equal((await resolve('mock:own', file))?.targets[0]?.model, 'mock');
});

test('they are nothing to production, nor where another provider has the name', async () => {
  const production = { ENVIRONMENT: 'production' };
  const taken = 'providers: { mock: { kind: openai-compatible, base_url: "http://10.0.0.1" } }';

  const listed = 'providers: { mock: { kind: mock } }';

  assert.equal(await resolve('mock:status=503', listed, production), undefined);
  assert.equal(await resolve('mock:status=503', taken), undefined);
  assert.notEqual(await resolve('mock:status=503', listed), undefined);
  assert.equal(await resolve('mocks:status=503', null), undefined);
});

test('no model is listed as made before there were any', async () => {
  const { config, settings, warnings } = await loadText(null, { OPENAI_API_KEY: 'sk-test' });
  const generation = { number: 1, config, settings, warnings, loadedAtMs: NOW_MS };

  const listed = buildRoutes(generation, await testCatalogue(), NOW_MS).list();

  assert.ok(listed.length > 2);
  const dawnSeconds = Date.parse('2019-01-01') / 1000;
  assert.deepEqual(
    listed.filter(({ createdSeconds }) => createdSeconds < dawnSeconds),
    [],
  );
});
