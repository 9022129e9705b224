/**
 * Goal: what is logged anywhere below a request of the control plane names that request, also
 * behind a body and with others running at once. Method: real routes over a real socket; a use
 * case that says under which identifiers it runs.
 */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { GatewayError } from '../../../src/gateway/index.ts';
import { createLogScope } from '../../../src/telemetry/log-scope.ts';
import { createAdminFixture } from './fixture.ts';

test('work behind a body runs under the identifiers of its own request', async () => {
  const scope = createLogScope();
  const seen = new Map<string, string | undefined>();
  const create = async (_caller: unknown, { name }: { readonly name: string }) => {
    await setImmediate();
    seen.set(name, scope.current()?.correlationId);
    throw new GatewayError('invalid_request');
  };
  const { app, secrets, log } = await createAdminFixture({
    keys: { create } as never,
    within: scope.run,
  });
  const server = createServer((request, response) => app.routing(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;

  try {
    const ids = Array.from({ length: 20 }, (_, number) => `corr-${number}`);
    const answers = await Promise.all(
      ids.map((id) =>
        fetch(`http://127.0.0.1:${port}/api/v1/keys`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${secrets.superadmin}`,
            'content-type': 'application/json',
            'x-correlation-id': id,
          },
          body: JSON.stringify({ name: id }),
        }),
      ),
    );

    assert.deepEqual(
      answers.map(({ headers }) => headers.get('x-correlation-id')),
      ids,
    );
    assert.deepEqual(Object.fromEntries(seen), Object.fromEntries(ids.map((id) => [id, id])));
    const told = log.filter(({ message }) => message === 'control-plane request');
    assert.deepEqual(new Set(told.map(({ fields }) => fields?.correlation_id)), new Set(ids));
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await app.close();
  }
});

test('an address that cannot be read is answered with both identifiers', async () => {
  const { call } = await createAdminFixture();
  const headers = { 'x-correlation-id': 'corr-9' };
  const answer = await call(null, { url: '/api/%zz', headers });

  assert.equal(answer.statusCode, 404);
  assert.equal(answer.headers['x-correlation-id'], 'corr-9');
  assert.match(String(answer.headers['x-request-id']), /^req_/);
});
