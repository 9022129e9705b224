/**
 * Who may do what: the one table of permissions. What a role does not list it may not do, and
 * each grant says how far it reaches.
 *
 * - `own`: what belongs to the calling key or person.
 * - `tenant`: everything of the caller's tenant.
 * - `all`: every tenant's.
 *
 * For what belongs to no tenant (providers, breakers, configuration) any reach will do.
 */
import { GatewayError, type MODELS_SCOPE, type Principal, type Role } from '../gateway/index.ts';

export type Permission =
  | typeof MODELS_SCOPE
  | 'profile.read'
  | 'profile.write'
  | 'models.read'
  | 'responses.read'
  | 'responses.delete'
  | 'requests.read'
  | 'bodies.read'
  | 'usage.read'
  | 'budgets.read'
  | 'metrics.read'
  | 'health.details'
  | 'keys.read'
  | 'keys.write'
  | 'users.read'
  | 'users.write'
  | 'audit.read'
  | 'cache.purge'
  | 'providers.read'
  | 'breakers.read'
  | 'breakers.reset'
  | 'routes.explain'
  | 'jobs.read'
  | 'jobs.write'
  | 'tenants.read'
  | 'tenants.write'
  | 'tenants.export'
  | 'flags.read'
  | 'flags.write'
  | 'config.read'
  | 'config.reload';

export type Reach = 'own' | 'tenant' | 'all';

type Grants = Readonly<Partial<Record<Permission, Reach>>>;

/** What everybody may do who may call at all: use models, and see what is their own. */
const everyone: Grants = {
  'models.call': 'own',
  'profile.read': 'own',
  'models.read': 'own',
  'requests.read': 'own',
  'usage.read': 'own',
  'budgets.read': 'own',
};

/** People, whatever they do here: their grants grow with the applications made for them. */
const person: Grants = { ...everyone, 'profile.write': 'own' };

const service: Grants = {
  ...everyone,
  'responses.read': 'tenant',
  'responses.delete': 'tenant',
  'metrics.read': 'own',
  'health.details': 'own',
};

const admin: Grants = {
  ...person,
  'models.read': 'tenant',
  'responses.read': 'tenant',
  'responses.delete': 'tenant',
  'requests.read': 'tenant',
  'bodies.read': 'tenant',
  'usage.read': 'tenant',
  'budgets.read': 'tenant',
  'metrics.read': 'tenant',
  'health.details': 'tenant',
  'keys.read': 'tenant',
  'keys.write': 'tenant',
  'users.read': 'tenant',
  'users.write': 'tenant',
  'audit.read': 'tenant',
  'cache.purge': 'tenant',
  'tenants.export': 'tenant',
  'providers.read': 'tenant',
  'breakers.read': 'tenant',
  'routes.explain': 'tenant',
};

const superadmin: Grants = {
  ...person,
  'models.read': 'all',
  'responses.read': 'tenant',
  'responses.delete': 'tenant',
  'requests.read': 'all',
  'bodies.read': 'all',
  'usage.read': 'all',
  'budgets.read': 'all',
  'metrics.read': 'all',
  'health.details': 'all',
  'keys.read': 'all',
  'keys.write': 'all',
  'users.read': 'all',
  'users.write': 'all',
  'audit.read': 'all',
  'cache.purge': 'all',
  'providers.read': 'all',
  'breakers.read': 'all',
  'breakers.reset': 'all',
  'routes.explain': 'all',
  'jobs.read': 'all',
  'jobs.write': 'all',
  'tenants.read': 'all',
  'tenants.write': 'all',
  'tenants.export': 'all',
  'flags.read': 'all',
  'flags.write': 'all',
  'config.read': 'all',
  'config.reload': 'all',
};

export const ROLE_GRANTS: Readonly<Record<Role, Grants>> = {
  student: person,
  instructor: person,
  service,
  admin,
  superadmin,
};

const NOTHING: Grants = {};

const WIDTH: Readonly<Record<Reach, number>> = { own: 0, tenant: 1, all: 2 };

/**
 * How far a principal's permission reaches: as far as the widest of its roles lets it, and not
 * at all outside of its scopes. null where it does not have it.
 */
export function reachOf(principal: Principal, permission: Permission): Reach | null {
  if (principal.scopes !== null && !principal.scopes.includes(permission)) return null;
  let widest: Reach | null = null;
  for (const role of principal.roles) {
    const reach: Reach | undefined = grantsOf(role)[permission];
    if (reach === undefined) continue;
    if (widest === null || WIDTH[reach] > WIDTH[widest]) widest = reach;
  }
  return widest;
}

/** A permission of the role that the principal does not have as far; null where it has all. */
export function beyondOf(principal: Principal, role: Role): Permission | null {
  for (const [name, reach] of Object.entries(grantsOf(role))) {
    const own = reachOf(principal, name as Permission);
    if (own === null || WIDTH[own] < WIDTH[reach]) return name as Permission;
  }
  return null;
}

/** Throws `permission_denied` where the principal does not have the permission. */
export function requirePermission(principal: Principal, permission: Permission): Reach {
  const reach = reachOf(principal, permission);
  if (reach !== null) return reach;
  const isScoped = principal.roles.some((role) => grantsOf(role)[permission] !== undefined);
  const who = isScoped ? 'scopes of this key do' : `role ${listed(principal.roles)} does`;
  throw new GatewayError('permission_denied', {
    message: `The ${who} not have the permission \`${permission}\`.`,
  });
}

/** Every permission some role has. */
export const PERMISSIONS: readonly Permission[] = [
  ...new Set(Object.values(ROLE_GRANTS).flatMap((grants) => Object.keys(grants) as Permission[])),
];

function grantsOf(role: Role): Grants {
  return Object.hasOwn(ROLE_GRANTS, role) ? ROLE_GRANTS[role] : NOTHING;
}

function listed(roles: readonly Role[]): string {
  return roles.length === 0 ? 'of nobody' : roles.map((role) => `\`${role}\``).join(', ');
}

/**
 * The tenant a read or an action is confined to: null for every tenant.
 * Throws `permission_denied` (field `tenant`) where another tenant than its own is named by
 * somebody who may not; whether that tenant exists makes no difference.
 */
export function confineTenant(
  principal: Principal,
  permission: Permission,
  asked: string | undefined,
): string | null {
  const reach = requirePermission(principal, permission);
  if (reach === 'all') return asked ?? null;
  if (asked !== undefined && asked !== principal.tenant) {
    throw new GatewayError('permission_denied', {
      message: 'The credential belongs to another tenant than the one named in `tenant`.',
      field: 'tenant',
    });
  }
  return principal.tenant;
}
