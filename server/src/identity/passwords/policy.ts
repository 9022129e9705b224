/**
 * Which passwords are taken. Lengths are counted in characters after Unicode normalisation
 * (NFKC), so that the same password typed on two keyboards is the same; nothing is ever cut.
 */
import { GatewayError } from '../../gateway/index.ts';
import { isCommonPassword } from './common.ts';

const PASSWORD_LENGTH_MIN = 8;
const PASSWORD_LENGTH_MAX = 256;

/** The form in which a password is hashed and compared. */
export function normalisePassword(password: string): string {
  return password.normalize('NFKC');
}

/**
 * Throws `password_too_weak` (field `password`) with every rule that is broken. `about` is what
 * others know of the user: a password must not consist of it.
 */
export function checkPassword(password: string, about: readonly string[], field = 'password') {
  const normal = normalisePassword(password);
  const length = [...normal].length;
  const broken = [
    length < PASSWORD_LENGTH_MIN && `at least ${PASSWORD_LENGTH_MIN} characters`,
    length > PASSWORD_LENGTH_MAX && `at most ${PASSWORD_LENGTH_MAX} characters`,
    !/\p{Lu}/u.test(normal) && 'an upper-case letter',
    !/\p{Ll}/u.test(normal) && 'a lower-case letter',
    !/\p{Nd}/u.test(normal) && 'a digit',
    /[\p{Cc}\p{Cs}]/u.test(normal) && 'no control characters',
  ].filter((rule) => rule !== false);
  if (broken.length > 0) throw weak(field, `needs ${broken.join(', ')}.`);
  if (isCommonPassword(normal)) throw weak(field, 'is one of the commonest, or close to one.');
  if (about.some((word) => repeats(normal, word))) {
    throw weak(field, 'must not be made of the address or the name of its user.');
  }
}

function repeats(password: string, word: string): boolean {
  const bare = (text: string): string => text.toLowerCase().replaceAll(/[^\p{L}\p{Nd}]/gu, '');
  const known = bare(word);
  if (known.length < 4) return false;
  const rest = bare(password).replace(known, '');
  return rest.length <= 4 && rest !== bare(password);
}

function weak(field: string, why: string): GatewayError {
  return new GatewayError('password_too_weak', { message: `\`${field}\` ${why}`, field });
}
