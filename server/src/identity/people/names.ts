/**
 * Addresses and names of people: their form, and the one spelling in which they are compared.
 */
import { GatewayError } from '../../gateway/index.ts';

const EMAIL = /^[^\s@\p{Cc}"(),:;<>[\\\]]{1,64}@[^\s@\p{Cc}"(),:;<>[\\\]]{1,190}$/u;
const USERNAME = /^[A-Za-z0-9_-]{3,50}$/;

/** Lower-case and in one Unicode form, so that two spellings are one person. */
export function normaliseEmail(email: string): string {
  return email.trim().normalize('NFKC').toLowerCase();
}

/** The address as it is kept; throws `invalid_request` (field `email`). */
export function checkEmail(email: string): string {
  const normal = normaliseEmail(email);
  if (EMAIL.test(normal)) return normal;
  throw new GatewayError('invalid_request', {
    message: '`email` is not an e-mail address.',
    field: 'email',
  });
}

/** Throws `invalid_request` (field `username`). */
export function checkUsername(username: string): string {
  if (USERNAME.test(username)) return username;
  throw new GatewayError('invalid_request', {
    message: '`username` takes 3 to 50 letters, digits, hyphens and underscores.',
    field: 'username',
  });
}

/** What stands before the `@`. */
export function localPart(email: string): string {
  return email.slice(0, email.lastIndexOf('@'));
}
