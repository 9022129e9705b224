/**
 * The one secret that all others are derived from. It comes from the environment, or from a
 * file beside the data that the first start creates.
 *
 * Invariants: a file that exists is never overwritten, also where several processes start at
 * once; a file that cannot be understood stops the start, because a new secret in its place
 * would make every API key unknown.
 */
import { isJsonObject, parseJson } from '../kernel/json.ts';
import type { Random } from '../kernel/random.ts';

const SECRET_BYTES = 32;
const OTHERS_MAY_READ = 0o077;

/** Access to `<dataDir>/secrets.json`. Methods throw what the file system throws. */
export interface SecretFile {
  readonly path: string;
  /** null where there is no such file. */
  read(): { readonly text: string; readonly mode: number | null } | null;
  /** Writes it with mode 0600, completely or not at all; false where it exists already. */
  create(text: string): boolean;
}

export interface MasterSecret {
  readonly secret: Buffer;
  readonly source: 'environment' | 'file' | 'created';
  /** Other accounts of this machine may read the file. */
  readonly isExposed: boolean;
}

export class MasterSecretError extends Error {
  override readonly name = 'MasterSecretError';
}

/**
 * Reads the master secret, or creates it where there is none. `override` is the value of
 * `ESCLUSA_MASTER_SECRET`: at least 32 bytes of text; the file is not touched then.
 * Throws `MasterSecretError` where a secret is too short or the file unreadable.
 */
export function loadMasterSecret(
  file: SecretFile,
  random: Random,
  override: string | null,
): MasterSecret {
  if (override !== null) {
    const secret = Buffer.from(override);
    if (secret.length < SECRET_BYTES) {
      throw new MasterSecretError(
        `ESCLUSA_MASTER_SECRET has ${secret.length} bytes; it needs at least ${SECRET_BYTES}. ` +
          'Make one with `esclusa secrets generate`.',
      );
    }
    return { secret, source: 'environment', isExposed: false };
  }
  const found = file.read();
  if (found !== null) return fromFile(file.path, found);
  const secret = generateMasterSecret(random);
  const isCreated = file.create(`${JSON.stringify({ version: 1, master_secret: secret })}\n`);
  if (isCreated) {
    return { secret: Buffer.from(secret, 'base64url'), source: 'created', isExposed: false };
  }
  const twin = file.read();
  if (twin === null) throw new MasterSecretError(`${file.path} appeared and vanished again.`);
  return fromFile(file.path, twin);
}

/** A new secret as text, fit for `ESCLUSA_MASTER_SECRET`. */
export function generateMasterSecret(random: Random): string {
  return Buffer.from(random.bytes(SECRET_BYTES)).toString('base64url');
}

function fromFile(
  path: string,
  found: { readonly text: string; readonly mode: number | null },
): MasterSecret {
  const parsed = parseJson(found.text);
  const text = isJsonObject(parsed) ? parsed.master_secret : undefined;
  const secret = Buffer.from(typeof text === 'string' ? text : '', 'base64url');
  if (secret.length < SECRET_BYTES) {
    throw new MasterSecretError(
      `${path} holds no usable master secret. Restore it from a backup: ` +
        'without it every API key is unknown.',
    );
  }
  const isExposed = found.mode !== null && (found.mode & OTHERS_MAY_READ) !== 0;
  return { secret, source: 'file', isExposed };
}
