/**
 * Those who may call and are in no table: the keys of the environment, one for an administrator
 * (`ESCLUSA_ADMIN_KEY`) and one for who collects metrics (`ESCLUSA_METRICS_KEY`), whoever runs the
 * command line on the machine that holds the data, and, where `AUTH_MODE=dev`, whoever calls from
 * that machine without a credential.
 */
import type { Principal } from '../gateway/index.ts';

export const DEFAULT_TENANT = 'default';

export const environmentAdmin: Principal = superadmin('key_admin', 'ESCLUSA_ADMIN_KEY');
export const operator: Principal = superadmin('key_operator', 'esclusa command line');

export const environmentCollector: Principal = Object.freeze<Principal>({
  ...superadmin('key_metrics', 'ESCLUSA_METRICS_KEY'),
  roles: Object.freeze(['service'] as const),
  scopes: Object.freeze(['metrics.read']),
});

/** An administrator of the default tenant; where nobody set `AUTH_MODE=dev` it is nobody. */
export const environmentDeveloper: Principal = Object.freeze<Principal>({
  ...superadmin('key_developer', 'AUTH_MODE=dev'),
  roles: Object.freeze(['admin'] as const),
});

const OF_ENVIRONMENT: ReadonlySet<string> = new Set(
  [environmentAdmin, environmentCollector, environmentDeveloper].map(({ keyId }) => keyId),
);

/** They need neither a table nor a tenant at work: they are good where no database ever was. */
export function isOfEnvironment({ keyId }: Principal): boolean {
  return OF_ENVIRONMENT.has(keyId);
}

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
