/**
 * What a key confines itself to beside its grants: permissions and networks. As with grants,
 * nobody gives what they do not hold, and what is left unsaid is taken from the giver.
 */
import { GatewayError, type Principal } from '../gateway/index.ts';
import { isNetwork, isWithin } from './networks.ts';
import { PERMISSIONS, type Permission, reachOf } from './roles.ts';

export interface Confinement {
  readonly scopes: readonly string[] | null;
  readonly addresses: readonly string[] | null;
}

/** Undefined where nothing was said. */
export interface AskedConfinement {
  readonly scopes?: readonly string[] | null | undefined;
  readonly addresses?: readonly string[] | null | undefined;
}

/**
 * Completes what was asked for from the giver's own. `held` is what the giver's key is confined
 * to in the network. Throws `permission_denied` or `invalid_request` with the field.
 */
export function settleConfinement(
  giver: Principal,
  held: readonly string[] | null,
  asked: AskedConfinement,
): Confinement {
  const settled = {
    scopes: asked.scopes === undefined ? giver.scopes : withoutTwins(asked.scopes),
    addresses: asked.addresses === undefined ? held : withoutTwins(asked.addresses),
  };
  checkConfinement(giver, held, settled);
  return settled;
}

export function checkConfinement(
  giver: Principal,
  held: readonly string[] | null,
  { scopes, addresses }: AskedConfinement,
): void {
  if (scopes !== undefined) checkScopes(giver, scopes);
  if (addresses !== undefined) checkAddresses(held, addresses);
}

function checkScopes(giver: Principal, asked: readonly string[] | null): void {
  if (asked === null) {
    if (giver.scopes !== null) throw exceeds('scopes', 'more permissions than your own key has');
    return;
  }
  for (const scope of asked) {
    if (!isPermission(scope)) throw invalid('scopes', `there is no permission \`${scope}\``);
    if (reachOf(giver, scope) === null) {
      throw exceeds('scopes', `the permission \`${scope}\`, which you do not have`);
    }
  }
}

function checkAddresses(held: readonly string[] | null, asked: readonly string[] | null): void {
  const wrong = asked?.find((text) => !isNetwork(text));
  if (wrong !== undefined) throw invalid('addresses', `\`${wrong}\` is no address or network`);
  if (held === null) return;
  const isWithinHeld = asked?.every((network) => isWithin(network, held)) ?? false;
  if (!isWithinHeld) throw exceeds('addresses', 'networks that your own key may not be used from');
}

function isPermission(text: string): text is Permission {
  return PERMISSIONS.some((permission) => permission === text);
}

function withoutTwins(list: readonly string[] | null): readonly string[] | null {
  return list === null ? null : [...new Set(list)];
}

function exceeds(field: string, what: string): GatewayError {
  return new GatewayError('permission_denied', {
    message: `\`${field}\` asks for ${what}; nobody grants more than they hold.`,
    field,
  });
}

function invalid(field: string, why: string): GatewayError {
  return new GatewayError('invalid_request', { message: `\`${field}\`: ${why}.`, field });
}
