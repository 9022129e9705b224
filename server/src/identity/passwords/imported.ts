/**
 * Hashes that came from elsewhere: bcrypt, good until the first sign-in replaces them.
 *
 * Bcrypt takes many times as long as what we hash with. So that nobody learns from the time of
 * a refusal whose account was imported, or whether there is one, every comparison that fails
 * does the work of the dearest imported hash as long as there are any.
 */
import { GatewayError } from '../../gateway/index.ts';

const HASH = /^\$2[abxy]\$(\d\d)\$/;
const IMPORTABLE = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;
const COST_MIN = 4;
/** About a second; a dearer one would hold up everybody who signs in. */
const COST_MAX = 14;
const BYTES_MAX = 72;
const FILLER = 'nobody';

/** What is used of the library. */
export type Bcrypt = Pick<typeof import('@node-rs/bcrypt'), 'hash' | 'verify'>;

/** The power of two of its rounds; null: not imported. */
export function importedCost(hash: string | null): number | null {
  const digits = hash === null ? undefined : HASH.exec(hash)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Throws `invalid_request` (field `password_hash`). */
export function checkImportedHash(hash: string): string {
  const cost = Number(IMPORTABLE.exec(hash)?.[1]);
  if (cost >= COST_MIN && cost <= COST_MAX) return hash;
  throw new GatewayError('invalid_request', {
    message:
      '`password_hash` takes a bcrypt hash of 60 characters that begins with `$2a$`, `$2b$` or ' +
      `\`$2y$\`, with a cost from ${COST_MIN} to ${COST_MAX}.`,
    field: 'password_hash',
  });
}

/**
 * Compares with an imported hash; null: there is none, and the answer is false. What fails takes
 * as long as one of `dearest`. Nothing is cut: what bcrypt would cut is refused.
 */
export async function compareImported(
  bcrypt: Bcrypt,
  hash: string | null,
  password: string,
  dearest: number | null,
): Promise<boolean> {
  const bytes = Buffer.from(password);
  const isWhole = bytes.length <= BYTES_MAX && !bytes.includes(0);
  const own = importedCost(hash);
  const top = Math.max(dearest ?? 0, own ?? 0);
  if (hash === null || own === null || !isWhole) {
    if (top >= COST_MIN) await bcrypt.hash(FILLER, { cost: top });
    return false;
  }
  if (await bcrypt.verify(password, hash)) return true;
  // Each step costs twice the one before: with its own they add up to the dearest.
  for (let cost = own; cost < top; cost += 1) await bcrypt.hash(FILLER, { cost });
  return false;
}
