/**
 * The administrator that a first start makes, so that there is somebody to sign in: the
 * operator's own, or a generated one whose password is shown once.
 */
import { GatewayError } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { Random } from '../../kernel/random.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import type { UserRepository } from '../ports/user-repository.ts';
import { DEFAULT_TENANT } from '../superadmin.ts';
import { checkEmail } from './names.ts';

export interface FirstAdmin {
  readonly email: string;
  /** null: the operator knows it. */
  readonly password: string | null;
}

export interface FirstAdminOptions {
  readonly users: Pick<UserRepository, 'list' | 'insert'>;
  readonly hasher: PasswordHasher;
  readonly random: Random;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs'>;
}

const FALLBACK_EMAIL = 'admin@esclusa.local';
const PASSWORD_BYTES = 15;

/** Creates a superadmin where there is no user yet; null where there is one. */
export async function createFirstAdmin(
  { users, hasher, random, ids, clock }: FirstAdminOptions,
  given: { readonly email: string | null; readonly password: string | null },
): Promise<FirstAdmin | null> {
  const existing = await users.list({ tenant: null, limit: 1, beforeId: null });
  if (existing.length > 0) return null;
  const email = checkEmail(given.email ?? FALLBACK_EMAIL);
  const password = given.password ?? generatePassword(random);
  try {
    await users.insert({
      id: ids.next('usr'),
      tenant: DEFAULT_TENANT,
      email,
      username: 'admin',
      passwordHash: await hasher.hash(password),
      subject: null,
      roles: ['superadmin'],
      isActive: true,
      isVerified: true,
      models: null,
      limits: {},
      budget: null,
      createdAtMs: clock.wallMs(),
      lastLoginAtMs: null,
    });
  } catch (error) {
    // Another process of the same first start was faster.
    if (error instanceof GatewayError && error.code === 'conflict') return null;
    throw error;
  }
  return { email, password: given.password === null ? password : null };
}

/** 120 random bits, in a form that meets the rules for passwords. */
export function generatePassword(random: Random): string {
  const text = Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url');
  return `${text.match(/.{1,5}/g)?.join('.') ?? text}.Aa1`;
}
