/**
 * `docs/permissions.md`: who may call what, from the routes the program registers and the one
 * table of permissions.
 */
import { createAdminApp, modelRoutes, responseRoutes } from '../../server/src/http/index.ts';
import { ROLE_GRANTS, reachOf } from '../../server/src/identity/index.ts';
import { operator } from '../../server/src/identity/superadmin.ts';
import { code, table } from './markdown.mjs';

/** @typedef {import('../../server/src/http/admin/app.ts').RouteSet} RouteSet */
/** @typedef {import('../../server/src/gateway/index.ts').Role} Role */

const ROLES = /** @type {readonly Role[]} */ (Object.keys(ROLE_GRANTS));

const introduction = `# Permissions

<!-- Generated from the routes and the table of permissions by
\`node scripts/docs.mjs permissions\`; a test keeps it so. -->

Whoever calls has roles: people those they were given, a key the one it was made with
(\`service\` or \`admin\`). A role that does not have a permission is refused with
\`permission_denied\` (403), and no credential at all with \`credentials_missing\` (401). A key
with \`scopes\` has those of its role's permissions that it names, and no others.

- *own*: what belongs to the calling key or person.
- *tenant*: everything of the caller's tenant. What is of another is as if it were not there.
- *all*: every tenant's.
- –: refused.

Routes that run models (\`/v1/chat/completions\` and its like) need \`models.call\`.`;

/** Paths are below the root of the project. */
export async function permissionsDocuments() {
  const head = ['Route', 'Permission', ...ROLES.map(code)];
  const routes = (await registered()).map(({ route, access }) => [
    code(route),
    access === 'public' || access === 'token' ? access : code(access),
    ...ROLES.map((role) => reachIn(role, access)),
  ]);
  const parts = [
    introduction,
    '## Routes',
    '`public` routes ask for no credential. A `token` of ours is enough to sign out, also where ' +
      'its session is over.',
    table(head, routes),
  ];
  return [{ path: 'docs/permissions.md', text: `${parts.join('\n\n')}\n` }];
}

/** Every route with what it needs; nothing is called, so nothing has to be there. */
async function registered() {
  /** @type {{ readonly route: string, readonly access: string }[]} */
  const routes = [];
  /** @type {RouteSet} */
  const watch = (app) => {
    app.addHook('onRoute', ({ method, url, config }) => {
      if (method === 'HEAD') return;
      routes.push({ route: `${method} ${url}`, access: String(config?.access) });
    });
  };
  const nothing = /** @type {never} */ (/** @type {unknown} */ ({}));
  const app = await createAdminApp(nothing, {
    routes: [watch, modelRoutes(nothing), responseRoutes(nothing)],
  });
  await app.close();
  const models = { route: 'POST /v1/…', access: 'models.call' };
  return [models, ...routes].sort((a, b) => (pathOf(a) < pathOf(b) ? -1 : 1));
}

/** @param {{ readonly route: string }} route */
function pathOf({ route }) {
  const [method = '', path = ''] = route.split(' ');
  return `${path} ${method}`;
}

/**
 * @param {Role} role
 * @param {string} access
 */
function reachIn(role, access) {
  if (access === 'public') return 'yes';
  if (access === 'token') return 'own';
  const permission = /** @type {import('../../server/src/identity/index.ts').Permission} */ (
    access
  );
  return reachOf({ ...operator, roles: [role] }, permission) ?? '–';
}
