/**
 * Goal: whatever valid configuration is written as YAML is read back as itself, however the
 * YAML is laid out, and the program's object follows from the settings alone.
 * Method: random settings (fast-check), written by the YAML library in block and in flow style.
 */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { toConfig } from '../../../src/config/config.ts';
import { diffSettings } from '../../../src/config/diff.ts';
import { fileJsonSchema } from '../../../src/config/index.ts';
import type { SettingsInput } from '../../../src/config/schema/file.ts';
import { loadText, testCatalogue } from '../../support/config.ts';
import { createSchemaCheck } from '../../support/json-schema.ts';

const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,12}$/);
/** Printable ASCII, often with what could be taken for a reference. */
const token = fc.oneof(
  { weight: 3, arbitrary: fc.stringMatching(/^[!-~]{1,20}$/) },
  { weight: 1, arbitrary: fc.stringMatching(/^[!-~]{0,3}\$?\$\{[!-~]{0,3}\}?[!-~]{0,3}$/) },
);
const int = (min: number, max: number) => fc.integer({ min, max });
const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const timeouts = fc.record({
  connect_ms: int(1, 999),
  first_token_ms: int(1000, 9999),
  idle_ms: int(1, 10_000),
  total_ms: int(10_000, 999_999),
});

const provider = fc.oneof(
  fc.record({
    kind: fc.constant('mock' as const),
    token_delay_ms: int(0, 10),
    timeouts: some(timeouts),
  }),
  fc.record({
    kind: fc.constant('openai-compatible' as const),
    base_url: fc.webUrl({ validSchemes: ['http', 'https'] }).map((url) => url.replace(/\/+$/, '')),
    api_key: token,
    headers: fc.dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), token, { maxKeys: 3 }),
    max_concurrency: some(int(1, 9)),
  }),
);

const price = fc.record({
  input_usd_per_million: int(0, 9_999_999).map((micro) => Number((micro / 1e6).toFixed(6))),
  output_usd_per_million: int(0, 99),
});

function modelsOf(providers: readonly string[]) {
  const target = fc.record({
    provider: fc.constantFrom(...providers),
    model: token,
    weight: int(1, 100),
  });
  return fc.dictionary(
    name,
    fc.record({
      strategy: fc.constantFrom('fallback', 'weighted', 'latency', 'cost', 'least-busy'),
      targets: fc.array(target, { minLength: 1, maxLength: 4 }),
      price: some(price),
      cache: some(fc.record({ ttl_seconds: int(1, 99), enabled: fc.boolean() })),
    }),
    { minKeys: 1, maxKeys: 4 },
  );
}

const settings: fc.Arbitrary<SettingsInput> = fc
  .dictionary(name, provider, { minKeys: 1, maxKeys: 4 })
  .chain((providers) =>
    modelsOf(Object.keys(providers)).chain((models) =>
      fc.record({
        providers: fc.constant(providers),
        models: fc.constant(models),
        roles: fc.dictionary(name, fc.constantFrom(...Object.keys(models)), { maxKeys: 3 }),
        port: int(0, 65_535),
        log: fc.record({ level: fc.constantFrom('debug' as const, 'error' as const) }),
        resilience: fc.record({ timeouts, max_concurrency: int(1, 99) }),
        cache: fc.record({ ttl_seconds: int(1, 999), max_bytes: int(2_000_000, 9_000_000) }),
        drain_seconds: fc.constantFrom(0, 0.5, 30),
      }),
    ),
  )
  .map((input) => JSON.parse(JSON.stringify(input)) as SettingsInput);

it('a random valid configuration is read back as it was written, in any layout', async () => {
  const { vendors } = await testCatalogue();
  const accepts = createSchemaCheck(fileJsonSchema());
  const dollar = (text: string): string => text.replaceAll(`\${`, `$$$\${`);
  await fc.assert(
    fc.asyncProperty(settings, fc.boolean(), async (input, isFlow) => {
      const layout = isFlow ? { collectionStyle: 'flow' as const } : {};
      const text = dollar(stringify(input, layout));

      const loaded = await loadText(text);

      const { providers, models, ...rest } = loaded.settings;
      const own = (names: object, all: Readonly<Record<string, unknown>>) =>
        Object.fromEntries(Object.keys(names).map((key) => [key, all[key]]));
      const read = {
        ...rest,
        providers: own(input.providers ?? {}, providers),
        models: own(input.models ?? {}, models),
      };
      assertContains(read, input, '');
      assert.deepEqual(loaded.config, toConfig(structuredClone(loaded.settings), vendors));
      assert.deepEqual(accepts(input), []);

      const again = await loadText(dollar(stringify(loaded.settings)));
      assert.deepEqual(diffSettings(loaded.settings, again.settings), []);
    }),
    { numRuns: 60 },
  );
});

/** Everything that was written is there; what was not written is a default. */
function assertContains(actual: unknown, written: unknown, path: string): void {
  if (typeof written !== 'object' || written === null) {
    assert.equal(actual, written, path);
    return;
  }
  for (const [key, value] of Object.entries(written)) {
    assertContains((actual as Record<string, unknown>)[key], value, `${path}/${key}`);
  }
}
