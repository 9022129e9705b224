/**
 * Between records of people and of the audit log, and the shapes of the control plane. A
 * password's hash never gets past here.
 */
import type {
  AuditEntryBody,
  InvitationCreated,
  OpenSession,
  SessionBody,
  User,
} from '@esclusa/contracts';
import type {
  AuditEntry,
  FamilyRecord,
  InvitationRecord,
  NewUser,
  Session,
  UserRecord,
} from '../../identity/index.ts';
import { budgetToWire, limitsToWire, timestamp } from './index.ts';

const MS_PER_SECOND = 1000;

type PersonRoles = User['roles'];

export function userToWire(record: UserRecord): User {
  return {
    id: record.id,
    tenant: record.tenant,
    email: record.email,
    username: record.username,
    roles: record.roles.filter((role) => role !== 'service'),
    is_active: record.isActive,
    is_verified: record.isVerified,
    has_password: record.passwordHash !== null,
    models: record.models === null ? null : [...record.models],
    limits: limitsToWire(record.limits),
    budget: record.budget === null ? null : budgetToWire(record.budget),
    created_at: timestamp(record.createdAtMs),
    last_login_at: record.lastLoginAtMs === null ? null : timestamp(record.lastLoginAtMs),
  };
}

/** What somebody new signs in with; the schema lets in exactly one of the two. */
export function secretFromWire(body: {
  readonly password?: string | undefined;
  readonly password_hash?: string | undefined;
}): NewUser['secret'] {
  const { password = '', password_hash: importedHash } = body;
  return importedHash === undefined ? { password } : { importedHash };
}

export function invitationToWire(record: InvitationRecord, token: string): InvitationCreated {
  return {
    id: record.id,
    tenant: record.tenant,
    email: record.email,
    roles: [...record.roles] as PersonRoles,
    expires_at: timestamp(record.expiresAtMs),
    invitation: token,
  };
}

export function auditToWire(entry: AuditEntry): AuditEntryBody {
  return {
    sequence: entry.sequence,
    at: timestamp(entry.atMs),
    tenant: entry.tenant,
    actor: entry.actor,
    action: entry.action,
    subject: entry.subject,
    outcome: entry.outcome,
    address: entry.address,
    request_id: entry.requestId,
    details: entry.details,
    hash: entry.hash,
  };
}

/** `current`: the session that asks; null where none does. */
export function openSessionsToWire(
  families: readonly FamilyRecord[],
  current: string | null,
): { readonly data: OpenSession[]; readonly next: null } {
  const data = families.map((family) => ({
    id: family.id,
    created_at: timestamp(family.createdAtMs),
    refreshed_at: timestamp(family.rotatedAtMs),
    expires_at: timestamp(family.expiresAtMs),
    is_current: family.id === current,
  }));
  return { data, next: null };
}

export function sessionToWire(session: Session): SessionBody {
  return {
    access_token: session.accessToken,
    refresh_token: session.refreshToken,
    token_type: 'Bearer',
    expires_in: Math.floor(session.accessLifeMs / MS_PER_SECOND),
    refresh_expires_in: Math.floor(session.refreshLifeMs / MS_PER_SECOND),
  };
}
