/**
 * Who may do what: the one table of permissions. What a role does not list it may not do, and
 * each grant says how far it reaches.
 *
 * - `own`: what belongs to the calling key itself.
 * - `tenant`: everything of the caller's tenant.
 * - `all`: every tenant's.
 *
 * For what belongs to no tenant (providers, breakers, configuration) any reach will do.
 */
import { GatewayError, type Principal, type Role } from '../gateway/index.ts';

export type Permission =
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
  | 'cache.purge'
  | 'providers.read'
  | 'breakers.read'
  | 'breakers.reset'
  | 'tenants.read'
  | 'tenants.write'
  | 'config.read'
  | 'config.reload';

export type Reach = 'own' | 'tenant' | 'all';

type Grants = Readonly<Partial<Record<Permission, Reach>>>;

const service: Grants = {
  'models.read': 'own',
  'responses.read': 'tenant',
  'responses.delete': 'tenant',
  'requests.read': 'own',
  'usage.read': 'own',
  'budgets.read': 'own',
  'metrics.read': 'own',
  'health.details': 'own',
};

const admin: Grants = {
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
  'cache.purge': 'tenant',
  'providers.read': 'tenant',
  'breakers.read': 'tenant',
};

const superadmin: Grants = {
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
  'cache.purge': 'all',
  'providers.read': 'all',
  'breakers.read': 'all',
  'breakers.reset': 'all',
  'tenants.read': 'all',
  'tenants.write': 'all',
  'config.read': 'all',
  'config.reload': 'all',
};

/** Roles of people get their grants with the applications made for them. */
const none: Grants = {};

export const ROLE_GRANTS: Readonly<Record<Role, Grants>> = {
  student: none,
  instructor: none,
  service,
  admin,
  superadmin,
};

/** How far a principal's permission reaches; null where it does not have it. */
export function reachOf(principal: Principal, permission: Permission): Reach | null {
  const grants: Grants | undefined = ROLE_GRANTS[principal.role];
  return grants?.[permission] ?? null;
}

/** Throws `permission_denied` where the principal does not have the permission. */
export function requirePermission(principal: Principal, permission: Permission): Reach {
  const reach = reachOf(principal, permission);
  if (reach !== null) return reach;
  throw new GatewayError('permission_denied', {
    message: `The role \`${principal.role}\` does not have the permission \`${permission}\`.`,
  });
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
