/**
 * Goal: passwords that are guessed first are not taken, long ones are taken whole, and hashes
 * are as strong as they should be (attack B12).
 */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hash as bcrypt, verify as bcryptVerify } from '@node-rs/bcrypt';
import { createPasswordHasher } from '../../../src/identity/index.ts';
import {
  type Bcrypt,
  compareImported,
  importedCost,
} from '../../../src/identity/passwords/imported.ts';
import { listedPasswords } from '../../../src/identity/passwords/listed.ts';
import { checkPassword } from '../../../src/identity/passwords/policy.ts';

const isTaken = (password: string, about: readonly string[] = []): boolean => {
  try {
    checkPassword(password, about);
    return true;
  } catch (error) {
    assert.equal((error as { code: string }).code, 'password_too_weak');
    return false;
  }
};

describe('a password', () => {
  const long = `Aa1${'é'.repeat(253)}`;
  for (const good of ['Correct-Horse-9', 'Tr4-vés-del-Río', `Aa1${'x'.repeat(61)}`, long]) {
    it(`is taken: ${[...good].length} characters, ${Buffer.byteLength(good)} bytes`, () => {
      assert.equal(isTaken(good), true);
    });
  }

  it('is not one of the 3000 that leaks have most often, as the rules make people write it', () => {
    const words = listedPasswords().slice(0, 3000);
    const written = words
      .filter((word) => /^[a-z]{4,}/.test(word))
      .map(
        (word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}${/\d/.test(word) ? '' : '1'}`,
      );
    const taken = written.filter((password) => password.length >= 8 && isTaken(password));

    assert.ok(written.length > 1500, `${written.length} to try`);
    assert.deepEqual(taken, []);
  });

  for (const bad of [
    'Short-1',
    `${long}x`,
    'lowercase-only-9',
    'UPPERCASE-ONLY-9',
    'No-Digits-Here',
    'Nul-inside\u0000-1A',
    'Line\nBreak-1A',
    // The commonest, as the rule about letters and digits makes people write them.
    'Password1',
    'P4ssw0rd',
    'Passw0rd!',
    'Password123!',
    'Qwerty123',
    'Qwerty12345',
    'Abc12345',
    'Abcd1234',
    'Aa123456',
    'Aa123456789',
    'Welcome1',
    'Welcome2024!',
    'Letmein1',
    'Admin123',
    'Admin@123',
    'Changeme1',
    'Iloveyou1',
    'Sunshine1',
    'Princess1',
    'Football1',
    'Monkey123',
    'Dragon123',
    'Summer2024',
    'Verano2025',
    'Contraseña1',
    'Contrasena123',
    'Hola1234',
    'Barcelona10',
    'Realmadrid1',
    'Qazwsx123',
    'Qweasdzxc1',
    'Esclusa123',
    'AdminAdmin1',
  ]) {
    it(`is refused: ${JSON.stringify(bad).slice(0, 40)}`, () => {
      assert.equal(isTaken(bad), false);
    });
  }

  it('is refused where it is made of the address or the name', () => {
    const about = ['ana.ruiz@uni.example', 'ana.ruiz', 'anaruiz'];

    assert.equal(isTaken('Ana.Ruiz2024', about), false);
    assert.equal(isTaken('AnaRuiz-und-ein-Pferd-7', about), true);
  });
});

describe('a hash', () => {
  const hasher = createPasswordHasher();

  it('is argon2id with 19 MiB, two passes, one lane, and salted', async () => {
    const [one, two] = await Promise.all([
      hasher.hash('Same-Horse-1'),
      hasher.hash('Same-Horse-1'),
    ]);

    assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    assert.notEqual(one, two);
    assert.equal(hasher.isOutdated(one), false);
  });

  it('tells passwords apart behind byte 72, and takes both spellings of one', async () => {
    const start = `Aa1${'x'.repeat(80)}`;
    const hash = await hasher.hash(`${start}1`);
    const accented = await hasher.hash('Caf\u00e9-Horse-1');

    assert.equal(await hasher.verify(hash, `${start}1`), true);
    assert.equal(await hasher.verify(hash, `${start}2`), false);
    assert.equal(await hasher.verify(accented, 'Cafe\u0301-Horse-1'), true);
  });

  it('that was imported as bcrypt is good, outdated, and never cut', async () => {
    const imported = await bcrypt('Imported-Horse-1', { cost: 4 });
    const long = `Aa1${'x'.repeat(69)}`;
    const cut = await bcrypt(long, { cost: 4 });

    assert.equal(await hasher.verify(imported, 'Imported-Horse-1'), true);
    assert.equal(await hasher.verify(imported, 'Imported-Horse-2'), false);
    assert.equal(hasher.isOutdated(imported), true);
    assert.equal(await hasher.verify(cut, long), true);
    assert.equal(await hasher.verify(cut, `${long}tail`), false);
  });

  it('is refused with as many rounds as the dearest imported one, whosever it is', async () => {
    const dearest = 8;
    const hashes = [
      null,
      await bcrypt('Same-Horse-1', { cost: 4 }),
      await bcrypt('Same-Horse-1', { cost: 6 }),
      await bcrypt('Same-Horse-1', { cost: dearest }),
    ];
    const words = ['Wrong-Horse-1', `Wrong-Horse-${'1'.repeat(80)}`, 'Wrong\0Horse-1'];

    for (const hash of hashes) {
      for (const word of words) {
        const counting = countingBcrypt();
        assert.equal(await compareImported(counting, hash, word, dearest), false);
        assert.equal(counting.rounds(), 2 ** dearest, `${hash} ${word}`);
      }
    }
    const [, cheap = null] = hashes;
    assert.equal(await hasher.verify(cheap, 'Same-Horse-1', dearest), true);
    assert.equal(await hasher.verify(cheap, 'Wrong-Horse-1', dearest), false);
    assert.equal(await hasher.verify(await hasher.hash('Own-Horse-1'), 'Own-Horse-1', 8), true);
  });

  it('of nobody is compared as long as one of somebody, and is nobody’s', async () => {
    assert.equal(await hasher.verify(null, 'Correct-Horse-9'), false);
    assert.equal(await hasher.verify(null, ''), false);
  });

  it('is made two at a time; beyond the queue whoever comes is refused at once', async () => {
    const flood = Array.from({ length: 210 }, () => hasher.verify(null, 'x'));

    const outcomes = await Promise.allSettled(flood);

    const refused = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(refused.length, 8);
    assert.equal((refused[0] as PromiseRejectedResult).reason.code, 'overloaded');
  });
});

/** The library itself, and how many rounds it was given to do. */
function countingBcrypt(): Bcrypt & { rounds(): number } {
  let rounds = 0;
  return {
    hash(password, options) {
      rounds += 2 ** (options?.cost ?? 0);
      return bcrypt(password, options);
    },
    verify(password, encoded) {
      rounds += 2 ** (importedCost(String(encoded)) ?? 0);
      return bcryptVerify(password, encoded);
    },
    rounds: () => rounds,
  };
}
