/**
 * Who may call what: every route against every role, and against nobody. The published table
 * is written out below; a route that is not in it fails the test.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { AdminApp, AdminExtras } from '../../../src/http/admin/index.ts';
import { responseRoutes } from '../../../src/http/index.ts';
import { ROLE_GRANTS } from '../../../src/identity/index.ts';
import { type AdminFixture, createAdminFixture } from './fixture.ts';

/**
 * `-` nobody but the superadmin, `a` also admins, `s` also plain keys, `p` people,
 * `e` everybody with a credential, `*` everybody.
 */
const TABLE: Readonly<Record<string, string>> = {
  'GET /health/live': '*',
  'GET /health/ready': '*',
  'GET /health/startup': '*',
  'GET /api/v1/health': '*',
  'GET /openapi.json': '*',
  'GET /': '*',
  'GET /docs': '*',
  'GET /docs/': '*',
  'GET /docs/js/scalar.js': '*',
  'GET /.well-known/jwks.json': '*',
  'GET /api/v1/auth/oidc/login': '*',
  'GET /api/v1/auth/oidc/callback': '*',
  'POST /api/v1/auth/register': '*',
  'POST /api/v1/auth/login': '*',
  'POST /api/v1/auth/refresh': '*',
  'POST /api/v1/auth/logout': 'e',
  'GET /api/v1/auth/me': 'e',
  'GET /api/v1/auth/sessions': 'p',
  'POST /api/v1/auth/logout-all': 'p',
  'POST /api/v1/auth/change-password': 'p',
  'GET /api/v1/users': 'a',
  'POST /api/v1/users': 'a',
  'POST /api/v1/users/invitations': 'a',
  'GET /api/v1/users/:id': 'a',
  'PATCH /api/v1/users/:id': 'a',
  'DELETE /api/v1/users/:id': 'a',
  'GET /api/v1/users/:id/sessions': 'a',
  'DELETE /api/v1/users/:id/sessions': 'a',
  'GET /api/v1/audit': 'a',
  'GET /metrics': 's',
  'GET /cache/stats': 's',
  'GET /cache/health': 's',
  'GET /api/v1/health/database': 's',
  'GET /health/database': 's',
  'GET /api/v1/experiments': '-',
  'GET /api/v1/flags': '-',
  'GET /api/v1/flags/:name': '-',
  'PUT /api/v1/flags/:name': '-',
  'DELETE /api/v1/flags/:name': '-',
  'POST /api/v1/flags/:name/evaluate': '-',
  'PUT /api/v1/flags/:name/rollout': '-',
  'DELETE /api/v1/flags/:name/rollout': '-',
  'GET /api/v1/models': 'e',
  'GET /v1/responses/:id': 's',
  'GET /v1/responses/:id/input_items': 's',
  'DELETE /v1/responses/:id': 's',
  'GET /api/v1/requests': 'e',
  'GET /api/v1/requests/:id': 'e',
  'GET /api/v1/usage': 'e',
  'GET /api/v1/budgets': 'e',
  'GET /api/v1/keys': 'a',
  'POST /api/v1/keys': 'a',
  'GET /api/v1/keys/:id': 'a',
  'PATCH /api/v1/keys/:id': 'a',
  'DELETE /api/v1/keys/:id': 'a',
  'POST /api/v1/keys/:id/rotate': 'a',
  'DELETE /api/v1/cache': 'a',
  'DELETE /api/v1/cache/stats': 'a',
  'GET /api/v1/providers': 'a',
  'GET /api/v1/circuit-breakers': 'a',
  'POST /api/v1/route/explain': 'a',
  'GET /api/v1/circuit-breakers/:name': 'a',
  'POST /api/v1/circuit-breakers/:name/reset': '-',
  'POST /api/v1/circuit-breakers/reset': '-',
  'GET /api/v1/tenants': '-',
  'POST /api/v1/tenants': '-',
  'GET /api/v1/tenants/:slug': '-',
  'PATCH /api/v1/tenants/:slug': '-',
  'POST /api/v1/tenants/:slug/suspend': '-',
  'POST /api/v1/tenants/:slug/resume': '-',
  'POST /api/v1/tenants/:slug/database/test': '-',
  'POST /api/v1/tenants/:slug/move': '-',
  'POST /api/v1/tenants/:slug/export': 'a',
  'DELETE /api/v1/tenants/:slug': '-',
  'GET /api/v1/config': '-',
  'GET /api/v1/jobs': '-',
  'POST /api/v1/jobs/:id/retry': '-',
  'DELETE /api/v1/jobs/:id': '-',
  'POST /api/v1/config/reload': '-',
};

const ROLES = ['nobody', 'student', 'instructor', 'service', 'admin', 'superadmin'] as const;
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  '*': ROLES,
  e: ['student', 'instructor', 'service', 'admin', 'superadmin'],
  p: ['student', 'instructor', 'admin', 'superadmin'],
  s: ['service', 'admin', 'superadmin'],
  a: ['admin', 'superadmin'],
  '-': ['superadmin'],
};

describe('access to the control plane', () => {
  let fixture: AdminFixture;
  const registered: string[] = [];
  const permissions = new Set<string>();
  const changing: { readonly route: string; readonly audit: string | undefined }[] = [];
  before(async () => {
    const watch = (app: AdminApp): void => {
      app.addHook('onRoute', (route) => {
        registered.push(`${String(route.method)} ${route.url}`);
        permissions.add(String(route.config?.access));
        if (/GET|HEAD/.test(String(route.method))) return;
        changing.push({ route: `${route.method} ${route.url}`, audit: route.config?.audit });
      });
    };
    fixture = await createAdminFixture(
      {},
      {
        routes: [watch, responseRoutes({ get: async () => null, delete: async () => false })],
      },
    );
  });
  after(() => fixture.app.close());

  it('is stated for exactly the routes there are', () => {
    const routes = registered.filter((route) => !route.startsWith('HEAD'));

    assert.deepEqual(routes.sort(), Object.keys(TABLE).sort());
  });

  it('is written down by every route that changes something', () => {
    const silent = changing.filter(({ audit }) => audit === undefined).map(({ route }) => route);

    // What a client made with its own requests, and questions that are asked with a body.
    const silentByRight = [
      'DELETE /v1/responses/:id',
      'POST /api/v1/route/explain',
      'POST /api/v1/flags/:name/evaluate',
    ];
    assert.deepEqual(
      silent.filter((route) => !silentByRight.includes(route)),
      [],
    );
  });

  it('uses every permission of the table of roles', () => {
    // Not the way into a route: it adds to what one shows (`bodies.test.ts`).
    permissions.add('bodies.read');
    permissions.add('models.call');
    const granted = new Set(Object.values(ROLE_GRANTS).flatMap((grants) => Object.keys(grants)));
    permissions.delete('public');
    permissions.delete('token');

    assert.deepEqual([...permissions].sort(), [...granted].sort());
  });

  for (const [route, who] of Object.entries(TABLE)) {
    for (const role of ROLES) {
      const isAllowed = ALLOWED[who]?.includes(role) ?? false;
      it(`${isAllowed ? 'lets' : 'does not let'} ${role} call ${route}`, async () => {
        const [method, pattern = ''] = route.split(' ');
        const url = pattern.replace(/:\w+/, 'x');
        const secret = role === 'nobody' ? null : fixture.secrets[role];

        const answer = await fixture.call(secret, { method: method as 'GET', url });

        const refused = role === 'nobody' ? 401 : 403;
        if (isAllowed) assert.notEqual(answer.statusCode, refused, answer.body.slice(0, 200));
        else assert.equal(answer.statusCode, refused);
        assert.notEqual(answer.statusCode, 500);
      });
    }
  }

  it('is refused at the start to a route that does not state it', async () => {
    const extras: AdminExtras = { routes: [(app) => app.get('/open', async () => 'x')] };

    await assert.rejects(createAdminFixture({}, extras), /GET \/open does not state/);
  });

  it('is checked before the body is read', async () => {
    const answer = await fixture.call(null, {
      method: 'POST',
      url: '/api/v1/keys',
      headers: { 'content-type': 'application/json' },
      payload: '{broken',
    });

    assert.equal(answer.statusCode, 401);
  });

  it('is logged as a security event where it is refused', async () => {
    fixture.log.length = 0;

    await fixture.call(fixture.secrets.service, '/api/v1/keys');

    const line = fixture.log.find((entry) => entry.fields.event === 'security');
    assert.equal(line?.level, 'warn');
    assert.equal(line.fields.key_id, fixture.serviceKeyId);
    assert.equal(line.fields.tenant, 'acme');
    assert.equal(line.fields.route, '/api/v1/keys');
    assert.equal(line.fields.error_code, 'permission_denied');
    assert.equal(JSON.stringify(fixture.log).includes(fixture.secrets.service), false);
  });

  it('cannot be had with a key that was revoked a moment ago', async () => {
    const created = await fixture.call(fixture.secrets.admin, {
      method: 'POST',
      url: '/api/v1/keys',
      payload: { name: 'brief' },
    });
    const { id, key } = created.json();
    const before = await fixture.call(key, '/api/v1/models');
    await fixture.call(fixture.secrets.admin, { method: 'DELETE', url: `/api/v1/keys/${id}` });

    const answer = await fixture.call(key, '/api/v1/models');

    assert.equal(before.statusCode, 200);
    assert.equal(answer.statusCode, 401);
    assert.equal(answer.json().error.code, 'credentials_invalid');
  });
});
