/**
 * Invitations: an administrator says who may register, in which tenant and as what. The token
 * is in the answer and nowhere else; it is used once and expires.
 */
import { GatewayError, type Principal } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { Random } from '../../kernel/random.ts';
import type { InvitationRecord, InvitationRepository } from '../ports/invitation-repository.ts';
import { confineTenant } from '../roles.ts';
import type { HashText } from './caller.ts';
import { checkEmail } from './names.ts';
import { type PersonRole, requireRoles, requireTenant } from './users.ts';

export interface NewInvitation {
  /** null: whoever has the token. */
  readonly email: string | null;
  readonly roles: readonly PersonRole[];
  readonly tenant?: string | undefined;
  readonly lifeMs: number;
}

/** Throws `permission_denied`, `invalid_request`, `storage_unavailable`. */
export type Invite = (
  actor: Principal,
  wanted: NewInvitation,
) => Promise<{ readonly record: InvitationRecord; readonly token: string }>;

export interface InvitationOptions {
  readonly invitations: Pick<InvitationRepository, 'insert'>;
  readonly tenantExists: (slug: string) => Promise<boolean>;
  readonly hashText: HashText;
  readonly random: Random;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const TOKEN_BYTES = 24;

export function createInvitations(options: InvitationOptions): Invite {
  const { invitations, hashText, random, ids, clock } = options;
  return async (actor, wanted) => {
    const tenant = confineTenant(actor, 'users.write', wanted.tenant) ?? actor.tenant;
    requireRoles(actor, wanted.roles);
    requireUnrestricted(actor);
    const email = wanted.email === null ? null : checkEmail(wanted.email);
    await requireTenant(options, tenant);
    const token = `esi_${Buffer.from(random.bytes(TOKEN_BYTES)).toString('base64url')}`;
    const nowMs = clock.wallMs();
    const record: InvitationRecord = {
      id: ids.next('inv'),
      tenant,
      email,
      roles: [...new Set(wanted.roles)],
      tokenHash: hashText(token),
      createdAtMs: nowMs,
      expiresAtMs: nowMs + wanted.lifeMs,
      usedAtMs: null,
    };
    await invitations.insert(record);
    return { record, token };
  };
}

/** Who is invited has no limits of their own: an invitation would give more than its maker has. */
function requireUnrestricted({ models, limits, budget }: Principal): void {
  if (models === null && budget === null && Object.keys(limits).length === 0) return;
  throw new GatewayError('permission_denied', {
    message:
      'Your own models, limits or budget are restricted, and an invitation carries no ' +
      'restrictions. Create the user instead, who then has yours.',
  });
}
