/**
 * The table of clients and ways to a model: each client package against each kind of provider,
 * with the same tests. Where a vendor's API cannot do a thing, its cell is the refusal that the
 * client is to see, as its own error, before anything is sent.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ADMIN_KEY } from '../../support/gateway.ts';
import { until } from '../../support/until.ts';
import { BROKEN_STREAMS, UPSTREAM_FAILURES } from '../failures.ts';
import { rowsOf } from '../surroundings.ts';
import { type Client, type Driver, PIXEL_URL, Shape } from './driver.ts';
import { type MatrixSurroundings, startMatrix, UPSTREAM_KEYS, WAYS, type Way } from './ways.ts';

const SAID = /^You wrote: “Say hello\.”/;
const LINK = 'https://example.com/a.png';

/** Everything that the cells of one row share. */
interface Row {
  readonly driver: Driver;
  readonly way: Way;
  around(): MatrixSurroundings;
  client(): Client;
  /** Nobody's: only to see what the package has at all. */
  readonly ideal: Client;
}

/** Declares the tests of each of these clients over every way; ways are gone through at once. */
export function clientMatrix(drivers: readonly Driver[]): void {
  describe('client → provider', { concurrency: 5 }, () => {
    let around: MatrixSurroundings;
    const clients = new Map<Driver, Client>();

    before(async () => {
      around = await startMatrix();
      for (const driver of drivers) {
        clients.set(driver, driver.connect(around.gateway.url, ADMIN_KEY));
      }
    });

    after(() => around.close());

    for (const driver of drivers) {
      const ideal = driver.connect('http://127.0.0.1:9', 'nobody');
      for (const way of WAYS) {
        const client = () => clients.get(driver) ?? assert.fail('not connected');
        describe(`${driver.name} → ${way.name}`, () => {
          declareCells({ driver, way, ideal, client, around: () => around });
        });
      }
    }
  });
}

function declareCells(row: Row): void {
  for (const declare of [texts, tools, shapes, vectors, counts, aborts, failures, breaks]) {
    declare(row);
  }
}

function texts({ way, client }: Row): void {
  const model = `${way.name}/mock`;

  test(`text comes whole, with its tokens`, async () => {
    const { text, isWhole, outputTokens = 0 } = await client().text(model);

    assert.match(text, SAID);
    assert.ok(isWhole);
    assert.ok(outputTokens > 5);
  });

  test(`a stream comes in pieces to the same end`, async () => {
    const plain = await client().text(model);
    const { pieces, ...streamed } = await client().stream(model);

    const { miscounts = 0 } = client();
    const { outputTokens = 0, ...said } = streamed;
    assert.deepEqual({ ...said, outputTokens: plain.outputTokens }, plain);
    assert.ok(Math.abs(outputTokens - (plain.outputTokens ?? 0)) <= miscounts, `${outputTokens}`);
    assert.ok(pieces > 5, `${pieces} pieces`);
  });

  test(`an image reaches the model`, async () => {
    assert.match(await client().image(model, PIXEL_URL), /one image/);
  });

  test(`an image at an address does, or is refused`, async () => {
    const call = client().image(model, LINK);

    if (way.lacks.includes('links'))
      await assertRefused(client(), call, 422, 'field_not_supported');
    else assert.match(await call, /one image/);
  });
}

function tools({ driver, way, around, client }: Row): void {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'plain';

    test(`two tools are called at once, ${how}`, async () => {
      const { called, text } = await client().tools(`${way.name}/mock`, stream);

      assert.deepEqual([...called].sort(), ['get_population Madrid', 'get_weather Madrid']);
      assert.match(text, /get_weather answered: "?sunny/);
      assert.match(text, /get_population answered: "?3400000/);
    });

    test(`tools go on step by step, ${how}`, async () => {
      const model = `${way.name}/mock-steps-${slug(driver)}-${way.name}-${how}:calls=serial`;
      const { called, text } = await client().tools(model, stream);

      assert.deepEqual(called, ['get_weather Madrid', 'get_population Madrid']);
      assert.match(text, /get_weather answered: "?sunny.*get_population answered: "?3400000/);
      assert.equal((await rowsOf(around().gateway, model)).length, 3);
    });
  }

  test(`a certain call is demanded, or that is refused`, async () => {
    const call = client().demand(`${way.name}/mock`);

    if (way.lacks.includes('demands')) {
      await assertRefused(client(), call, 422, 'field_not_supported');
    } else assert.deepEqual(await call, ['get_population']);
  });
}

function shapes({ way, client }: Row): void {
  for (const stream of [false, true]) {
    const how = stream ? 'streamed' : 'plain';

    test(`an answer fits its schema, ${how}`, async () => {
      const shaped = await client().shape(`${way.name}/mock`, stream);

      assert.ok(Shape.safeParse(shaped).success, JSON.stringify(shaped));
    });
  }
}

function vectors({ way, ideal, client }: Row): void {
  if (ideal.embed === null) return;

  test(`embeddings come, or are refused`, async () => {
    const call = client().embed?.(`${way.name}/mock`, ['the sea', 'the mountain']);

    if (way.lacks.includes('embeddings')) {
      return assertRefused(client(), call, 400, 'model_unsupported_operation');
    }
    const [sea, mountain] = (await call) ?? [];
    assert.ok((sea?.length ?? 0) > 2 && sea?.every(Number.isFinite));
    assert.equal(mountain?.length, sea?.length);
    assert.notDeepEqual(sea, mountain);
  });
}

function counts({ way, ideal, client }: Row): void {
  if (ideal.count === null) return;

  test(`tokens are counted without running anything`, async () => {
    const counted = (await client().count?.(`${way.name}/mock`)) ?? 0;

    if (way.counts !== null) assert.equal(counted, way.counts);
    else assert.ok(counted > 3 && counted < 300, `${counted}`);
  });
}

function aborts({ driver, way, around, client }: Row): void {
  test(`an abort ends the call, and is booked so`, async () => {
    const model = `${way.name}/mock-abort-${slug(driver)}-${way.name}:tps=40`;
    await client().abort(model);

    const row = await until('a row', async () => (await rowsOf(around().gateway, model))[0]);
    assert.equal(row.outcome, 'aborted');
    const upstream = around().upstreamOf(way);
    if (upstream === null) return;
    const [call] = upstream.callsOf(model.slice(way.name.length + 1));
    await upstream.waitForClose(call ?? assert.fail('the upstream was not called'));
  });
}

function failures({ way, client }: Row): void {
  for (const { name, script, status: usual, code } of UPSTREAM_FAILURES) {
    const status = way.statuses[script] ?? usual;

    test(`${name} is its own error ${status}`, async () => {
      const model = `${way.name}/mock:${script}`;

      await assertRefused(client(), client().text(model), status, way.isCoded ? code : null);
      await assertRefused(client(), client().stream(model), status, way.isCoded ? code : null);
    });
  }
}

function breaks({ way, client }: Row): void {
  for (const { name, script } of BROKEN_STREAMS) {
    test(`a stream that ${name} is its own error`, async () => {
      const { readings, broken } = client();
      const read = async (reading: (typeof readings)[string]): Promise<void> => {
        let text = '';
        const thrown = await thrownBy(
          reading(`${way.name}/mock:${script}`, (piece) => {
            text += piece;
          }),
        );
        broken(thrown);
        assert.match(text, /^You/);
      };

      await Promise.all(Object.values(readings).map(read));
    });
  }
}

/** `code`: where the wire of the way has one, and the package shows it. */
async function assertRefused(
  client: Client,
  call: Promise<unknown> | undefined,
  status: number,
  code: string | null,
): Promise<void> {
  const told = client.refused(await thrownBy(call), status);

  assert.equal(told.status, status, told.message);
  if (code !== null && told.code !== undefined) assert.equal(told.code, code);
  for (const key of UPSTREAM_KEYS) assert.equal(told.message.includes(key), false);
}

async function thrownBy(call: Promise<unknown> | undefined): Promise<unknown> {
  return Promise.resolve(call).then(
    (answer) => assert.fail(`nothing was thrown, but ${JSON.stringify(answer)} came`),
    (thrown: unknown) => thrown,
  );
}

function slug({ name }: Driver): string {
  return name.replaceAll(/[^a-z0-9]+/g, '-');
}
