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
import type { Principal } from '../model/principal.ts';
import type { Authenticator } from '../ports/authenticator.ts';
import type { Stage } from './stage.ts';

const IDENTITY_RETRY_MS = 2000;

export function authenticate(authenticator: Authenticator): Stage {
  return {
    name: 'authenticate',
    codes: [
      'credentials_missing',
      'credentials_invalid',
      'credentials_expired',
      'credentials_conflicting',
      'credentials_in_query',
      'identity_unavailable',
    ],
    wrap: (next) => (exchange) => {
      exchange.principal = principalOf(authenticator, exchange.credential);
      return next(exchange);
    },
  };
}

/** The principal behind a credential; throws the codes of the stage. */
export function principalOf(authenticator: Authenticator, credential: Credential): Principal {
  if (credential.kind === 'refused') throw credential.error;
  if (credential.kind === 'none') {
    throw new GatewayError('credentials_missing', {
      message: 'No API key was sent. Send `Authorization: Bearer <key>`.',
    });
  }
  const found = authenticator.authenticate(credential.value);
  switch (found.kind) {
    case 'known':
      return found.principal;
    case 'unknown':
      throw new GatewayError('credentials_invalid', {
        message: 'The API key is not known here. Check that it was copied whole.',
      });
    case 'expired':
      throw new GatewayError('credentials_expired');
    case 'unavailable':
      throw new GatewayError('identity_unavailable', { retryAfterMs: IDENTITY_RETRY_MS });
    default:
      return unreachable(found);
  }
}
