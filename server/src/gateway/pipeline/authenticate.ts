/**
 * The authenticate stage: from the credential the client sent to the principal it stands for,
 * out of a memory snapshot. Everything behind it can rely on `exchange.principal`.
 *
 * It fails closed: a credential nobody can judge is 503, never 401, so that a client does not
 * throw a good key away.
 */
import { unreachable } from '../../kernel/assert.ts';
import { GatewayError } from '../model/errors.ts';
import type { Credential } from '../model/exchange.ts';
import { MODELS_SCOPE, type Principal } from '../model/principal.ts';
import type { Authentication, Authenticator } from '../ports/authenticator.ts';
import type { Stage } from './stage.ts';

const IDENTITY_RETRY_MS = 2000;

export function authenticate(authenticator: Authenticator): Stage {
  return {
    name: 'authenticate',
    codes: [
      'credentials_missing',
      'credentials_invalid',
      'credentials_expired',
      'credentials_throttled',
      'credentials_conflicting',
      'credentials_in_query',
      'address_not_allowed',
      'tenant_suspended',
      'tenant_mismatch',
      'permission_denied',
      'identity_unavailable',
    ],
    wrap: (next) => (exchange) => {
      const found = principalOf(authenticator, exchange.credential);
      const enter = (principal: Principal) => {
        exchange.principal = principal;
        requireModelsScope(principal);
        return next(exchange);
      };
      return found instanceof Promise ? found.then(enter) : enter(found);
    },
  };
}

/** The principal behind a credential; throws, or rejects with, the codes of the stage. */
export function principalOf(
  authenticator: Authenticator,
  credential: Credential,
): Principal | Promise<Principal> {
  if (credential.kind === 'refused') throw credential.error;
  if (credential.kind === 'none') {
    throw new GatewayError('credentials_missing', {
      message: 'No API key was sent. Send `Authorization: Bearer <key>`.',
    });
  }
  const { value, address, tenant } = credential;
  const enter = (found: Authentication) => ofTenant(judged(found), tenant?.() ?? null);
  const found = authenticator.authenticate(value, address);
  return found instanceof Promise ? found.then(enter) : enter(found);
}

/** The credential says whose it is; a host can only agree. */
function ofTenant(principal: Principal, named: string | null): Principal {
  if (named === null || named === principal.tenant) return principal;
  throw new GatewayError('tenant_mismatch');
}

function judged(found: Authentication): Principal {
  switch (found.kind) {
    case 'known':
      return found.principal;
    case 'unknown':
      throw new GatewayError('credentials_invalid', {
        message: 'The credential is not known here. Check that it was copied whole.',
      });
    case 'expired':
      throw new GatewayError('credentials_expired');
    case 'throttled':
      throw new GatewayError('credentials_throttled', { retryAfterMs: found.retryAfterMs });
    case 'elsewhere':
      throw new GatewayError('address_not_allowed');
    case 'suspended':
      throw new GatewayError('tenant_suspended');
    case 'unavailable':
      throw new GatewayError('identity_unavailable', { retryAfterMs: IDENTITY_RETRY_MS });
    default:
      return unreachable(found);
  }
}

function requireModelsScope({ scopes }: Principal): void {
  if (scopes === null || scopes.includes(MODELS_SCOPE)) return;
  throw new GatewayError('permission_denied', {
    message: `The scopes of this key do not have \`${MODELS_SCOPE}\`.`,
  });
}
