/**
 * Registration: outside of production for everybody, as a student who is verified at once, of
 * the tenant whose host was called, else of the default one; in production by an invitation,
 * which is used once and expires.
 *
 * Whether an address or a name is taken is not told: the answer and its time are the same, and
 * nothing is changed. Who registers chooses neither tenant nor roles.
 */
import { GatewayError, type Role } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { checkPassword } from '../passwords/policy.ts';
import type { InvitationRecord, InvitationRepository } from '../ports/invitation-repository.ts';
import type { UserRecord, UserRepository } from '../ports/user-repository.ts';
import { DEFAULT_TENANT } from '../superadmin.ts';
import type { UserSnapshot } from '../user-snapshot.ts';
import { type Caller, type HashText, sourceOf } from './caller.ts';
import { checkEmail, checkUsername, localPart } from './names.ts';
import type { Throttle } from './throttle.ts';

export interface RegistrationWanted {
  readonly email: string;
  readonly username: string;
  readonly password: string;
  readonly invitation?: string | undefined;
}

/**
 * Throws `invalid_request`, `password_too_weak`, `invitation_invalid`, `sign_in_throttled`,
 * `overloaded`, `storage_unavailable`.
 */
export type Register = (wanted: RegistrationWanted, caller: Caller) => Promise<void>;

export interface RegistrationOptions {
  readonly users: UserRepository;
  readonly invitations: InvitationRepository;
  readonly snapshot: Pick<UserSnapshot, 'refresh'>;
  readonly throttle: Throttle;
  readonly hasher: PasswordHasher;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly hashText: HashText;
  /** False in production. */
  readonly isOpen: boolean;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const REGISTRATIONS_PER_MINUTE = 30;
const FIRST_ROLES: readonly Role[] = ['student'];

export function createRegistration(options: RegistrationOptions): Register {
  const { invitations, throttle, hasher, hashText, clock } = options;
  return async ({ invitation: token, password, ...wanted }, caller) => {
    await throttle.visit('register', sourceOf(caller), REGISTRATIONS_PER_MINUTE);
    const email = checkEmail(wanted.email);
    const username = checkUsername(wanted.username);
    const invitation = token === undefined ? null : await invitations.find(hashText(token));
    if (token !== undefined || !options.isOpen) {
      requireGood(invitation, email, caller, clock.wallMs());
    }
    checkPassword(password, [email, localPart(email), username]);
    const passwordHash = await hasher.hash(password);
    await admit(options, { email, username, passwordHash }, invitation, caller);
  };
}

function requireGood(
  invitation: InvitationRecord | null,
  email: string,
  { tenant }: Caller,
  nowMs: number,
): void {
  const isGood =
    invitation !== null &&
    invitation.usedAtMs === null &&
    invitation.expiresAtMs > nowMs &&
    (tenant === null || tenant === invitation.tenant) &&
    (invitation.email === null || invitation.email === email);
  if (!isGood) throw new GatewayError('invitation_invalid', { field: 'invitation' });
}

async function admit(
  options: RegistrationOptions,
  account: Pick<UserRecord, 'email' | 'username' | 'passwordHash'>,
  invitation: InvitationRecord | null,
  caller: Caller,
): Promise<void> {
  const { users, invitations, snapshot, ids, clock } = options;
  const nowMs = clock.wallMs();
  if (invitation !== null && !(await invitations.use(invitation.id, nowMs))) {
    throw new GatewayError('invitation_invalid', { field: 'invitation' });
  }
  const user: UserRecord = {
    ...account,
    id: ids.next('usr'),
    tenant: invitation?.tenant ?? caller.tenant ?? DEFAULT_TENANT,
    subject: null,
    roles: invitation?.roles ?? FIRST_ROLES,
    isActive: true,
    isVerified: true,
    models: null,
    limits: {},
    budget: null,
    createdAtMs: nowMs,
    lastLoginAtMs: null,
  };
  let isNew = true;
  try {
    await users.insert(user);
  } catch (error) {
    if (invitation !== null) await invitations.giveBack(invitation.id);
    if (!(error instanceof GatewayError && error.code === 'conflict')) throw error;
    isNew = false;
  }
  await snapshot.refresh();
  await options.audit.record({
    tenant: user.tenant,
    actor: isNew ? user.id : 'anonymous',
    action: 'auth.register',
    subject: isNew ? user.id : null,
    outcome: isNew ? 'success' : 'failure',
    address: caller.address,
    requestId: caller.requestId,
    details: { invitation: invitation?.id ?? null },
  });
}
