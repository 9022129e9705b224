/**
 * Goal: nobody asks a list for more than it gives: signs of a pattern mean themselves, a page
 * has its bound whatever is asked, there is no way to sort or to skip by a number (attack F5).
 * Method: every list of the program's own reference, with rows of each kind there; a new list
 * is tried without being named here.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { PASSWORD } from '../support/people.ts';
import { type Operation, operationsOf } from '../support/random-walk/operations.ts';

const PAGE_MAX = 200;
const ROWS = PAGE_MAX + 20;
const HELLO = { model: 'mock', messages: [{ role: 'user', content: 'Hola' }] };

let gateway: TestGateway;
let lists: readonly Operation[];

before(async () => {
  gateway = await startGateway();
  lists = (await operationsOf(gateway)).filter(
    ({ method, path, parameters }) =>
      method === 'GET' && !path.includes('{') && parameters.some((each) => each.name === 'limit'),
  );
  const each = Array.from({ length: ROWS }, (_, at) => at);
  const make = async (at: number) => {
    await gateway.api('POST', '/api/v1/keys', { name: `k${at}` });
    await gateway.api('POST', '/api/v1/tenants', { slug: `t${at}`, name: 'T' });
    await (await gateway.chat(HELLO)).arrayBuffer();
  };
  await Promise.all(each.map(make));
  const body = { email: 'a@x.example', username: 'a', password: PASSWORD };
  await gateway.api('POST', '/api/v1/users', body);
});
after(() => gateway.close());

const get = (path: string, query: string) => gateway.api('GET', `${path}?${query}`);

test('F5: a page has no more rows than it may, whatever its limit asks for', async () => {
  let full = 0;
  for (const { path } of lists) {
    for (const limit of ['999999999', '1000000', String(PAGE_MAX + 1), '9007199254740993']) {
      const { status, body } = await get(path, `limit=${limit}`);
      assert.ok(status === 200 || status === 400, `${path} ${limit}: ${status}`);
      if (status === 400) assert.equal(body.error.field, 'limit', path);
      else {
        assert.ok(body.data.length <= 1000, `${path}: ${body.data.length} rows`);
        if (body.data.length === PAGE_MAX) full += 1;
      }
    }
    for (const limit of ['0', '-1', '1.5', '1e', 'all', '', '1;drop', '%00', 'NaN']) {
      const { status, body } = await get(path, `limit=${limit}`);
      assert.equal(status, 400, `${path} ${limit}`);
      assert.equal(body.error.field, 'limit', path);
    }
  }
  assert.ok(lists.length >= 7, `only ${lists.length} lists`);
  assert.ok(full >= 3, 'lists with more rows than a page were cut at one');
});

test('F5: no list is sorted, skipped or searched by a member that it does not name', async () => {
  const names = ['sort', 'sort_by', 'order', 'order_by', 'offset', 'skip', 'page', 'per_page'];
  for (const { path, parameters } of lists) {
    for (const name of [...names, 'q', 'search', 'filter', 'where', 'fields', 'select']) {
      if (parameters.some((each) => each.name === name)) continue;
      for (const value of ['1', 'password_hash', '-created_at', '1000000000']) {
        const { status } = await get(path, `${name}=${value}`);
        assert.equal(status, 400, `${path}?${name}=${value}`);
      }
    }
  }
});

test('F5: `%`, `_`, `*` and `\\` in a filter are letters: they find no row', async () => {
  const filters = lists.flatMap(({ path, parameters }) =>
    parameters
      .filter(({ name, schema }) => schema?.type === 'string' && !/cursor|since|until/.test(name))
      .map(({ name }) => [path, name] as const),
  );
  let tried = 0;
  for (const [path, name] of filters) {
    for (const text of ['%', '_', 'm%', 'moc_', '*', 'k*', '%25', 'mock\\', '\\%', '[a-z]%']) {
      const { status, body } = await get(path, `${name}=${encodeURIComponent(text)}`);
      assert.ok(status === 200 || status === 400 || status === 404, `${path}?${name}: ${status}`);
      if (status === 200) assert.deepEqual(body.data, [], `${path}?${name}=${text}`);
      tried += 1;
    }
  }
  assert.ok(tried >= 80, `only ${tried} questions`);
  assert.ok((await get('/api/v1/requests', 'model=mock')).body.data.length > 0);
});
