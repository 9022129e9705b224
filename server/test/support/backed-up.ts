/**
 * What an installation must still be after a backup was brought back, and what fills one
 * beforehand; the same on both engines.
 */
import assert from 'node:assert/strict';
import { type CommandEnv, jsonOf } from './command.ts';
import type { TestGateway } from './gateway.ts';
import { load } from './postgres-gateway.ts';

export interface World {
  readonly acme: { readonly id: string; readonly secret: string };
  readonly other: { readonly id: string; readonly secret: string };
}

/** Two tenants with keys, priced calls of both, and entries of the audit log. */
export async function populate(gateway: TestGateway): Promise<World> {
  for (const slug of ['acme', 'innova']) {
    const made = await gateway.api('POST', '/api/v1/tenants', { slug, name: slug });
    assert.equal(made.status, 201, JSON.stringify(made.body));
  }
  const acme = await gateway.key({ tenant: 'acme' });
  const other = await gateway.key({ tenant: 'innova' });
  const { statuses } = await load(() => ask(gateway, acme.secret), 40, 8);
  assert.deepEqual([...statuses], [[200, 40]]);
  await load(() => ask(gateway, other.secret), 20, 8);
  return { acme, other };
}

export async function ask(gateway: TestGateway, key: string) {
  const body = { model: 'priced', messages: [{ role: 'user', content: 'Hola' }] };
  const answer = await gateway.chat(body, key, { headers: { 'cache-control': 'no-store' } });
  await answer.text();
  return { status: answer.status, id: answer.headers.get('x-request-id') ?? '' };
}

/** A model that costs something, so that sums say something. */
export const PRICED = {
  providers: { demo: { kind: 'mock' } },
  models: {
    priced: {
      targets: [{ provider: 'demo', model: 'mock' }],
      price: { input_usd_per_million: 1, output_usd_per_million: 2 },
    },
  },
};

export interface Sum {
  readonly requests: number;
  readonly cost: number;
}

/** Requests and cost in nano-dollars of every tenant, as the ledger sums them. */
export async function sums(env: CommandEnv): Promise<ReadonlyMap<string, Sum>> {
  const { body, text } = await jsonOf(['usage', '--by', 'tenant'], env);
  assert.ok(Array.isArray(body.data), text);
  const rows = body.data as readonly {
    readonly group: { readonly tenant: string };
    readonly requests: number;
    readonly cost_nanousd: number;
  }[];
  return new Map(
    rows.map(({ group, requests, cost_nanousd: cost }) => [group.tenant, { requests, cost }]),
  );
}
