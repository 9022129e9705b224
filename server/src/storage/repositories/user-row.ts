/**
 * Between a row of `users` and the record.
 */
import type { Updateable } from 'kysely';
import type { Budget, BudgetPeriod, Limits, Role } from '../../gateway/model/principal.ts';
import type { UserPatch, UserRecord } from '../../identity/ports/user-repository.ts';
import type { UsersTable } from '../schema.ts';

export function userRow(record: UserRecord): Omit<UsersTable, 'version' | 'removed_at_ms'> {
  return {
    id: record.id,
    tenant: record.tenant,
    email: record.email,
    username: record.username,
    username_key: record.username.toLowerCase(),
    password_hash: record.passwordHash,
    subject: record.subject,
    roles: JSON.stringify(record.roles),
    is_active: Number(record.isActive),
    is_verified: Number(record.isVerified),
    models: listColumn(record.models),
    limits: JSON.stringify(record.limits),
    ...budgetColumns(record.budget),
    created_at_ms: record.createdAtMs,
    last_login_at_ms: record.lastLoginAtMs,
  };
}

/** Only the columns the patch names: an absent member is not a null one. */
export function userChanges(patch: UserPatch): Updateable<UsersTable> {
  return {
    ...(patch.email !== undefined && { email: patch.email }),
    ...(patch.username !== undefined && {
      username: patch.username,
      username_key: patch.username.toLowerCase(),
    }),
    ...(patch.passwordHash !== undefined && { password_hash: patch.passwordHash }),
    ...(patch.subject !== undefined && { subject: patch.subject }),
    ...(patch.roles !== undefined && { roles: JSON.stringify(patch.roles) }),
    ...(patch.isActive !== undefined && { is_active: Number(patch.isActive) }),
    ...(patch.isVerified !== undefined && { is_verified: Number(patch.isVerified) }),
    ...(patch.models !== undefined && { models: listColumn(patch.models) }),
    ...(patch.limits !== undefined && { limits: JSON.stringify(patch.limits) }),
    ...(patch.budget !== undefined && budgetColumns(patch.budget)),
  };
}

/** What is left of a removed user: that there was one. */
export function tombstone(id: string, nowMs: number): Updateable<UsersTable> {
  return {
    email: `removed ${id}`,
    username: id,
    username_key: `removed ${id}`,
    password_hash: null,
    subject: null,
    roles: '[]',
    is_active: 0,
    models: null,
    limits: '{}',
    last_login_at_ms: null,
    removed_at_ms: nowMs,
  };
}

export function userRecord(row: UsersTable): UserRecord {
  return {
    id: row.id,
    tenant: row.tenant,
    email: row.email,
    username: row.username,
    passwordHash: row.password_hash,
    subject: row.subject,
    roles: JSON.parse(row.roles) as Role[],
    isActive: row.is_active === 1,
    isVerified: row.is_verified === 1,
    models: row.models === null ? null : (JSON.parse(row.models) as string[]),
    limits: JSON.parse(row.limits) as Limits,
    budget: budgetOf(row),
    createdAtMs: row.created_at_ms,
    lastLoginAtMs: row.last_login_at_ms,
  };
}

export type BudgetColumns = Pick<
  UsersTable,
  'budget_limit_nanousd' | 'budget_period' | 'budget_soft'
>;

export function budgetColumns(budget: Budget | null): BudgetColumns {
  return {
    budget_limit_nanousd: budget?.limitNanousd ?? null,
    budget_period: budget?.period ?? null,
    budget_soft: budget?.soft === true ? 1 : 0,
  };
}

export function budgetOf(row: BudgetColumns): Budget | null {
  const { budget_limit_nanousd: limitNanousd, budget_period: period } = row;
  if (limitNanousd === null || period === null) return null;
  const budget = { limitNanousd, period: period as BudgetPeriod };
  return row.budget_soft === 1 ? { ...budget, soft: true } : budget;
}

export function listColumn(list: readonly string[] | null): string | null {
  return list === null ? null : JSON.stringify(list);
}
