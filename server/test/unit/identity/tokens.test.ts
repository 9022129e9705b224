/**
 * Goal: no token is believed that this installation did not sign for this use (attacks B2, B4).
 * Method: real signatures, made with the library and by hand; a clock moved by hand.
 */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { describe, it } from 'node:test';
import { generateKeyPair, SignJWT } from 'jose';
import {
  createAccessTokens,
  createRefreshTokens,
  createTokenKeys,
} from '../../../src/identity/index.ts';
import { createIdSource } from '../../../src/kernel/id.ts';
import { createManualClock } from '../../support/manual-clock.ts';
import { createCountingRandom, NOW_MS } from './fakes.ts';

const SECRET = 'a-secret-of-more-than-thirty-two-bytes';
const SUBJECT = { userId: 'usr_1', familyId: 'fam_1', tenant: 'acme' };
const NOW_S = Math.floor(NOW_MS / 1000);

type Algorithm = Parameters<typeof createTokenKeys>[0]['algorithm'];

function setUp(settings: Partial<Parameters<typeof createTokenKeys>[0]> = {}, issuer = 'esclusa') {
  const clock = createManualClock(NOW_MS);
  const keys = createTokenKeys({
    algorithm: 'HS256',
    secret: SECRET,
    previousSecret: null,
    generation: 1,
    master: Buffer.alloc(32, 9),
    ...settings,
  });
  const ids = createIdSource(clock, createCountingRandom());
  const tokens = createAccessTokens({ keys, issuer, lifeMs: 1_800_000, clock, ids, maxKept: 3 });
  return { clock, keys, tokens };
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const GOOD = {
  iss: 'esclusa',
  aud: 'esclusa',
  sub: 'usr_1',
  sid: 'fam_1',
  tenant: 'acme',
  typ: 'access',
  jti: 'jti_1',
  iat: NOW_S,
  nbf: NOW_S,
  exp: NOW_S + 60,
};

/** Signed as HS256 with the given key, whatever header and claims say. */
function forged(header: object, claims: object, key: string | Buffer = SECRET): string {
  const text = `${encode(header)}.${encode(claims)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

describe('an access token', () => {
  for (const algorithm of ['HS256', 'HS384', 'HS512', 'EdDSA'] as readonly Algorithm[]) {
    it(`signed with ${algorithm} is read back, until it expires`, async () => {
      const { tokens, clock } = setUp({ algorithm, secret: null });

      const token = await tokens.sign(SUBJECT);
      const read = await tokens.read(token);
      clock.advance(1_800_000);
      const late = await tokens.read(token);

      assert.deepEqual(read, { ...SUBJECT, expiresAtMs: (NOW_S + 1800) * 1000 });
      assert.equal(late, null);
    });
  }

  it('is answered from memory the second time, under its whole digest', async () => {
    const { tokens } = setUp();
    const token = await tokens.sign(SUBJECT);
    const [head, body, signature = ''] = token.split('.');
    const twin = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;

    await tokens.read(token);

    assert.equal(tokens.read(token) instanceof Promise, false);
    assert.equal(await tokens.read(twin), null);
    assert.equal(await tokens.read(`${head}.${body}.${signature.slice(0, -4)}`), null);
  });

  it('is kept for so many only, the eldest making room', async () => {
    const { tokens } = setUp();
    const all: string[] = [];
    for (let index = 0; index < 4; index += 1) {
      all.push(await tokens.sign({ ...SUBJECT, familyId: `fam_${index}` }));
    }

    for (const token of all) await tokens.read(token);

    assert.deepEqual(
      all.map((token) => tokens.read(token) instanceof Promise),
      [true, false, false, false],
    );
  });

  it('is good through a rotation, and not after the next', async () => {
    const first = setUp({ secret: null, generation: 1 });
    const second = setUp({ secret: null, generation: 2 });
    const third = setUp({ secret: null, generation: 3 });
    const token = await first.tokens.sign(SUBJECT);
    const own = setUp({ secret: 'the-next-secret-of-more-than-32-bytes', previousSecret: SECRET });
    const given = await setUp().tokens.sign(SUBJECT);

    assert.notEqual(await second.tokens.read(token), null);
    assert.equal(await third.tokens.read(token), null);
    assert.notEqual(await own.tokens.read(given), null);
    assert.equal(await setUp({}, 'other').tokens.read(given), null);
  });

  const { keys } = setUp();
  const kid = keys.current.id;
  const header = { alg: 'HS256', typ: 'at+jwt', kid };

  it('made by hand as ours are is believed: the forgeries are near misses', async () => {
    assert.notEqual(await setUp().tokens.read(forged(header, GOOD)), null);
  });

  const forgeries: readonly (readonly [string, string])[] = [
    ...['none', 'None', 'NONE', 'nOnE'].map(
      (alg) => [`alg ${alg}`, `${encode({ ...header, alg })}.${encode(GOOD)}.`] as const,
    ),
    ['another algorithm of the same family', forged({ ...header, alg: 'HS512' }, GOOD)],
    ['an empty secret', forged(header, GOOD, '')],
    ['a weak secret', forged(header, GOOD, 'secret')],
    ['a kid that is a path', forged({ ...header, kid: '../../../dev/null' }, GOOD, '')],
    ['a kid that is SQL', forged({ ...header, kid: "' or 1=1 --" }, GOOD)],
    ['no kid', forged({ alg: 'HS256', typ: 'at+jwt' }, GOOD)],
    ['a jku', forged({ ...header, jku: 'http://127.0.0.1:9/keys' }, GOOD)],
    ['an x5u', forged({ ...header, x5u: 'http://127.0.0.1:9/cert' }, GOOD)],
    ['an embedded jwk', forged({ ...header, jwk: { kty: 'oct', k: 'AA' } }, GOOD)],
    ['a crit', forged({ ...header, crit: ['exp'] }, GOOD)],
    ['another type', forged({ ...header, typ: 'JWT' }, GOOD)],
    ['another issuer', forged(header, { ...GOOD, iss: 'https://elsewhere' })],
    ['another audience', forged(header, { ...GOOD, aud: 'console' })],
    ['an expired one', forged(header, { ...GOOD, exp: NOW_S - 1 })],
    ['an exp that is text', forged(header, { ...GOOD, exp: '9999999999' })],
    ['an nbf to come', forged(header, { ...GOOD, nbf: NOW_S + 60 })],
    ['the type refresh', forged(header, { ...GOOD, typ: 'refresh' })],
    ['a subject that is no text', forged(header, { ...GOOD, sub: 7 })],
    ...['exp', 'nbf', 'iat', 'jti', 'sub', 'sid', 'tenant', 'iss', 'aud'].map(
      (claim) => [`no ${claim}`, forged(header, { ...GOOD, [claim]: undefined })] as const,
    ),
    ['a header that is no JSON', `eyJub3Q.${encode(GOOD)}.AAAA`],
    ['no signature', `${encode(header)}.${encode(GOOD)}`],
    ['eight kilobytes', `eyJ${'A'.repeat(8192)}.e30.AA`],
    ['control bytes', 'eyJ\u0000\u0001.\n.\r'],
  ];
  for (const [name, token] of forgeries) {
    it(`is not believed with ${name}`, async () => {
      assert.equal(await setUp().tokens.read(token), null);
    });
  }

  it('signed as HS256 with the public key is not believed where EdDSA is spoken', async () => {
    const { tokens, keys: pair } = setUp({ algorithm: 'EdDSA' });
    const { keys: published } = await tokens.publicKeys();
    const raw = Buffer.from(String(published[0]?.x), 'base64url');
    const other = await generateKeyPair('EdDSA');
    const foreign = await new SignJWT(GOOD)
      .setProtectedHeader({ alg: 'EdDSA', typ: 'at+jwt', kid: pair.current.id })
      .sign(other.privateKey);

    const confused = [raw, JSON.stringify(published[0])].flatMap((key) => [
      forged({ ...header, kid: pair.current.id }, GOOD, key),
      forged({ alg: 'EdDSA', typ: 'at+jwt', kid: pair.current.id }, GOOD, key),
    ]);

    for (const token of [...confused, foreign]) assert.equal(await tokens.read(token), null);
    assert.equal('d' in (published[0] ?? {}), false);
    assert.deepEqual((await setUp().tokens.publicKeys()).keys, []);
  });
});

describe('a refresh token', () => {
  const tokens = createRefreshTokens(Buffer.alloc(32, 1));

  it('is read back, and never with a changed part or another key', () => {
    const token = tokens.make({ familyId: 'fam_1', generation: 4 });

    assert.deepEqual(tokens.read(token), { familyId: 'fam_1', generation: 4 });
    for (const changed of [
      token.replace('.4.', '.5.'),
      token.replace('fam_1', 'fam_2'),
      `${token}A`,
      token.slice(0, -1),
      createRefreshTokens(Buffer.alloc(32, 2)).make({ familyId: 'fam_1', generation: 4 }),
      'esr_',
      '',
      `esr_${'a'.repeat(9000)}`,
    ]) {
      assert.equal(tokens.read(changed), null, changed.slice(0, 60));
    }
  });

  it('is no access token, nor the other way round', async () => {
    const { tokens: access } = setUp();

    assert.equal(await access.read(tokens.make({ familyId: 'fam_1', generation: 1 })), null);
    assert.equal(tokens.read(await access.sign(SUBJECT)), null);
  });
});
