/**
 * Goal: a configuration can be shown and compared without giving a secret away.
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { diffSettings, redactSettings, redactUrl } from '../../../src/config/index.ts';
import { loadText } from '../../support/config.ts';

const SECRETS = [
  ...['sk-secret-1', 'sk-secret-4', 'sk-secret-5'],
  ...['header-secret', 'admin-secret-key', 'password-secret'],
];
const WITH_SECRETS = `providers:
  a:
    kind: openai-compatible
    base_url: http://x
    api_key: sk-secret-1
    api_keys: [sk-secret-4, sk-secret-5]
    headers: { x-k: header-secret }
admin: { key: admin-secret-key, email: a@b.c, password: password-secret }`;

describe('a configuration that is shown', () => {
  it('has three stars in place of every secret, and everything else', async () => {
    const { settings } = await loadText(WITH_SECRETS);

    const text = JSON.stringify(redactSettings(settings));

    for (const secret of SECRETS) assert.ok(!text.includes(secret), secret);
    assert.match(text, /"api_key":"\*\*\*"/);
    assert.match(text, /"x-k":"\*\*\*"/);
    assert.match(text, /"base_url":"http:\/\/x"/);
    assert.match(text, /"email":"a@b.c"/);
  });

  it('has no stars where there is no secret', async () => {
    const { settings } = await loadText(null);

    assert.ok(!JSON.stringify(redactSettings(settings)).includes('***'));
  });
});

describe('an address that is shown', () => {
  it('keeps its user and loses its password', () => {
    const cases = {
      'postgres://u:p@db:5432/x': 'postgres://u:***@db:5432/x',
      'redis://:p@r:6379/0': 'redis://:***@r:6379/0',
      'https://token@x/y': 'https://***@x/y',
      'postgres://u:p/w@1@db/x': 'postgres://u:***@db/x',
      'https://x/y?a=b@c': 'https://x/y?a=b@c',
      'see redis://a:b@c and redis://d:e@f': 'see redis://a:***@c and redis://d:***@f',
      'a@b.c': 'a@b.c',
    };
    for (const [url, shown] of Object.entries(cases)) assert.equal(redactUrl(url), shown);
  });
});

describe('the difference of two configurations', () => {
  it('names each setting that changed, came or went, old and new, without secrets', async () => {
    const before = await loadText(`${WITH_SECRETS}
models: { m: { targets: [{ provider: a, model: x }], timeouts: { idle_ms: 5 } } }
roles: { router: m }`);
    const after = await loadText(`providers:
  a: { kind: openai-compatible, base_url: http://y, api_key: sk-secret-2 }
  b: { kind: openai-compatible, base_url: http://z, api_key: sk-secret-3 }
models: { m: { targets: [{ provider: a, model: x, weight: 2 }] } }`);

    const changes = diffSettings(before.settings, after.settings);

    const b = { kind: 'openai-compatible', base_url: 'http://z', headers: {}, capabilities: {} };
    assert.deepEqual(changes, [
      { path: 'providers.a.api_key', before: '***', after: '***', apply: 'live' },
      { path: 'providers.a.api_keys', before: '***', after: undefined, apply: 'live' },
      { path: 'providers.a.base_url', before: 'http://x', after: 'http://y', apply: 'live' },
      { path: 'providers.a.headers.x-k', before: '***', after: undefined, apply: 'live' },
      {
        path: 'providers.b',
        before: undefined,
        after: { ...b, api_key: '***' },
        apply: 'live',
      },
      { path: 'models.m.targets[0].weight', before: 1, after: 2, apply: 'live' },
      { path: 'models.m.timeouts', before: { idle_ms: 5 }, after: undefined, apply: 'live' },
      { path: 'roles.router', before: 'm', after: undefined, apply: 'live' },
      { path: 'admin.key', before: '***', after: undefined, apply: 'restart' },
      { path: 'admin.email', before: 'a@b.c', after: undefined, apply: 'restart' },
      { path: 'admin.password', before: '***', after: undefined, apply: 'restart' },
    ]);
  });

  it('is empty for a configuration and itself', async () => {
    const { settings } = await loadText(WITH_SECRETS);

    assert.deepEqual(diffSettings(settings, structuredClone(settings)), []);
  });

  it('shows targets as a whole when there are more or fewer of them', async () => {
    const one = 'models: { m: { targets: [{ provider: mock, model: x }] } }';
    const two =
      'models: { m: { targets: [{ provider: mock, model: x }, { provider: mock, model: y }] } }';
    const [before, after] = [await loadText(one), await loadText(two)];

    const changes = diffSettings(before.settings, after.settings);

    assert.deepEqual(
      changes.map(({ path }) => path),
      ['models.m.targets'],
    );
  });
});
