/**
 * Hashes of passwords: argon2id with the parameters below, and bcrypt where a hash was imported,
 * which is replaced at the next sign-in.
 *
 * Invariants: hashing runs outside of the event loop, only so many at once, so that a flood of
 * sign-ins leaves threads for everything else; whoever finds the queue full is refused at once.
 * A user that does not exist costs what one does.
 */
import { GatewayError } from '../../gateway/index.ts';
import { createSemaphore, type Semaphore } from '../../kernel/semaphore.ts';
import { compareImported, importedCost } from './imported.ts';
import { normalisePassword } from './policy.ts';

/** What OWASP recommends for argon2id. */
const MEMORY_KIB = 19_456;
const PASSES = 2;
const LANES = 1;
const CURRENT = `$argon2id$v=19$m=${MEMORY_KIB},t=${PASSES},p=${LANES}$`;

const CONCURRENT = 2;
const WAITERS_MAX = 200;
const FULL_RETRY_MS = 1000;

/** Of no password: compared with where there is no user. */
const NOBODY = `${CURRENT}AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA`;

export interface PasswordHasher {
  /** Throws `overloaded` where too many wait already. */
  hash(password: string): Promise<string>;
  /**
   * `hash` null: there is no such user; takes its time and answers false. `dearestImported`: the
   * cost of the dearest hash that was imported and is still there; null: there is none. Throws
   * `overloaded`.
   */
  verify(hash: string | null, password: string, dearestImported?: number | null): Promise<boolean>;
  /** Whether a good password should be hashed again with today's parameters. */
  isOutdated(hash: string): boolean;
}

export function createPasswordHasher(): PasswordHasher {
  const places = createSemaphore(CONCURRENT, WAITERS_MAX);
  return {
    hash: (password) =>
      inPlace(places, async () => {
        const { hash } = await import('@node-rs/argon2');
        const options = { memoryCost: MEMORY_KIB, timeCost: PASSES, parallelism: LANES };
        return hash(normalisePassword(password), options);
      }),
    verify: (hash, password, dearest = null) =>
      inPlace(places, () => verify(hash, password, dearest)),
    isOutdated: (hash) => !hash.startsWith(CURRENT),
  };
}

async function verify(
  hash: string | null,
  password: string,
  dearest: number | null,
): Promise<boolean> {
  const isImported = importedCost(hash) !== null;
  const argon2 = await import('@node-rs/argon2');
  const own = isImported || hash === null ? NOBODY : hash;
  const isRight = await argon2.verify(own, normalisePassword(password));
  if (isRight || (dearest === null && !isImported)) return isRight;
  const bcrypt = await import('@node-rs/bcrypt');
  return compareImported(bcrypt, isImported ? hash : null, password, dearest);
}

async function inPlace<T>(places: Semaphore, work: () => Promise<T>): Promise<T> {
  const run = places.run(work);
  if (run !== null) return run;
  throw new GatewayError('overloaded', {
    message: 'Too many sign-ins wait already. Try again.',
    retryAfterMs: FULL_RETRY_MS,
  });
}
