/**
 * The administrator that a first start makes, so that there is somebody to sign in: the
 * operator's own, or a generated one whose password is shown once.
 */
import { GatewayError } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { Random } from '../../kernel/random.ts';
import type { PasswordHasher } from '../passwords/hasher.ts';
import { checkPassword } from '../passwords/policy.ts';
import type { UserRepository } from '../ports/user-repository.ts';
import { DEFAULT_TENANT } from '../superadmin.ts';
import { checkEmail, localPart } from './names.ts';

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
  /** Told of a password that the rules would not take, where that does not stop the start. */
  readonly warn: (message: string) => void;
  /** True in production: such a password stops the start. */
  readonly isStrict: boolean;
}

const FALLBACK_EMAIL = 'admin@esclusa.local';
const PASSWORD_BYTES = 15;
const PASSWORD_VARIABLE = 'ESCLUSA_ADMIN_PASSWORD';

/**
 * Creates a superadmin where there is no user yet; null where there is one.
 * Throws `password_too_weak` in production.
 */
export async function createFirstAdmin(
  options: FirstAdminOptions,
  given: { readonly email: string | null; readonly password: string | null },
): Promise<FirstAdmin | null> {
  const { users, hasher, random, ids, clock } = options;
  const existing = await users.list({ tenant: null, limit: 1, beforeId: null });
  if (existing.length > 0) return null;
  const email = checkEmail(given.email ?? FALLBACK_EMAIL);
  if (given.password !== null) judge(options, given.password, email);
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

/** Whoever knows the examples of a manual must not be the administrator. */
function judge({ isStrict, warn }: FirstAdminOptions, password: string, email: string): void {
  try {
    checkPassword(password, [email, localPart(email)], PASSWORD_VARIABLE);
  } catch (error) {
    if (isStrict || !(error instanceof GatewayError)) throw error;
    warn(error.message);
  }
}

/** 120 random bits, in a form that meets the rules for passwords. */
export function generatePassword(random: Random): string {
  const text = Buffer.from(random.bytes(PASSWORD_BYTES)).toString('base64url');
  return `${text.match(/.{1,5}/g)?.join('.') ?? text}.Aa1`;
}
