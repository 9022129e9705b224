/**
 * The superadmins that are in no table: the key of the environment (`ESCLUSA_ADMIN_KEY`) and
 * whoever runs the command line on the machine that holds the data.
 */
import type { Principal } from '../gateway/index.ts';

export const DEFAULT_TENANT = 'default';

export const environmentAdmin: Principal = superadmin('key_admin', 'ESCLUSA_ADMIN_KEY');
export const operator: Principal = superadmin('key_operator', 'esclusa command line');

function superadmin(keyId: string, name: string): Principal {
  return Object.freeze<Principal>({
    kind: 'api_key',
    keyId,
    name,
    tenant: DEFAULT_TENANT,
    roles: Object.freeze(['superadmin'] as const),
    scopes: null,
    models: null,
    limits: Object.freeze({}),
    budget: null,
    expiresAtMs: null,
    familyId: null,
    cacheUse: 'default',
  });
}
