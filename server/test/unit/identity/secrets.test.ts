/**
 * Secrets: their form, their hash, the keys derived from the master secret and the file it is
 * kept in. The file is a real one in a temporary folder.
 */
import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import fc from 'fast-check';
import {
  createSecretFile,
  createSecretHasher,
  deriveKeys,
  generateSecret,
  loadMasterSecret,
  MasterSecretError,
  type SecretFile,
  secretHint,
} from '../../../src/identity/index.ts';
import { isWellFormedSecret } from '../../../src/identity/secret.ts';
import { systemRandom } from '../../../src/kernel/random.ts';

/** HKDF-SHA256 of 32 bytes of 7, salt `esclusa`, info `api-key-hash/v1`, by another program. */
const PEPPER_OF_SEVENS = '0abb606daa5a8912b2c08ab4c9714fef7e2732779b8da712cb5d40a7dab06bd1';

describe('the secret of a key', () => {
  it('is esk_ and 43 characters of 256 random bits', () => {
    const secret = generateSecret({ float: () => 0, bytes: () => new Uint8Array(32).fill(255) });

    assert.equal(secret, `esk_${'_'.repeat(42)}8`);
  });

  it('is recognised by its first characters only', () => {
    assert.equal(secretHint('esk_Ab3dEFGHIJKLMNOP'), 'esk_Ab3d…');
  });

  it('is well formed whatever the random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        const secret = generateSecret({ float: () => 0, bytes: () => bytes });
        return isWellFormedSecret(secret);
      }),
    );
  });

  for (const [what, text] of [
    ['another length', `esk_${'a'.repeat(42)}`],
    ['another prefix', `sk-_${'a'.repeat(43)}`],
    ['a character outside the alphabet', `esk_${'a'.repeat(42)}+`],
    ['a control byte', `esk_${'a'.repeat(42)}\u0000`],
    ['a letter of another script', `esk_${'a'.repeat(42)}ä`],
    ['eight kilobytes', `esk_${'a'.repeat(8192)}`],
    ['nothing', ''],
  ] as const) {
    it(`is refused before it is hashed with ${what}`, () => {
      assert.equal(isWellFormedSecret(text), false);
    });
  }

  it('is hashed as HMAC-SHA256 under the pepper', () => {
    // RFC 4231, test case 2.
    const hash = createSecretHasher(Buffer.from('Jefe'));

    assert.equal(
      hash('what do ya want for nothing?'),
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });
});

describe('keys derived from the master secret', () => {
  it('differ by purpose and stay the same for the same secret', () => {
    const keys = deriveKeys(Buffer.alloc(32, 7));

    const texts = [keys.apiKeyPepper, keys.cacheKey, keys.cursorKey].map((key) =>
      key.toString('hex'),
    );
    assert.equal(new Set(texts).size, 3);
    // A changed figure here would make every API key in use unknown.
    assert.equal(texts[0], PEPPER_OF_SEVENS);
    assert.equal(keys.apiKeyPepper.length, 32);
  });

  it('differ for another secret', () => {
    const one = deriveKeys(Buffer.alloc(32, 7));
    const other = deriveKeys(Buffer.alloc(32, 8));

    assert.notDeepEqual(one.apiKeyPepper, other.apiKeyPepper);
  });
});

describe('the master secret', () => {
  let folder: string;
  let file: SecretFile;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'esclusa-secret-'));
    file = createSecretFile(join(folder, 'data'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is made by the first start, readable by the owner alone, and found by the second', () => {
    const first = loadMasterSecret(file, systemRandom, null);
    const second = loadMasterSecret(file, systemRandom, null);

    assert.equal(first.source, 'created');
    assert.equal(first.secret.length, 32);
    assert.equal(statSync(file.path).mode & 0o777, 0o600);
    assert.equal(second.source, 'file');
    assert.deepEqual(second.secret, first.secret);
    assert.equal(second.isExposed, false);
  });

  it('is the other one where two starts race', () => {
    const winner = loadMasterSecret(file, systemRandom, null);
    let isFirstLook = true;
    const late: SecretFile = {
      ...file,
      read: () => {
        if (!isFirstLook) return file.read();
        isFirstLook = false;
        return null;
      },
    };

    const loser = loadMasterSecret(late, systemRandom, null);

    assert.deepEqual(loser.secret, winner.secret);
  });

  it('is said to be exposed where others may read the file', () => {
    loadMasterSecret(file, systemRandom, null);
    chmodSync(file.path, 0o644);

    assert.equal(loadMasterSecret(file, systemRandom, null).isExposed, true);
  });

  it('comes from the environment without touching the file', () => {
    const override = 'x'.repeat(32);

    const loaded = loadMasterSecret(file, systemRandom, override);

    assert.equal(loaded.secret.toString(), override);
    assert.equal(file.read(), null);
  });

  it('is refused from the environment below 32 bytes', () => {
    assert.throws(() => loadMasterSecret(file, systemRandom, 'x'.repeat(31)), MasterSecretError);
  });

  for (const text of ['', 'null', '{"version":1}', '{"version":1,"master_secret":"c2hvcnQ"}']) {
    it(`stops the start and is not replaced where the file holds ${text || 'nothing'}`, () => {
      loadMasterSecret(file, systemRandom, null);
      writeFileSync(file.path, text);

      assert.throws(() => loadMasterSecret(file, systemRandom, null), MasterSecretError);
      assert.equal(readFileSync(file.path, 'utf8'), text);
    });
  }
});
