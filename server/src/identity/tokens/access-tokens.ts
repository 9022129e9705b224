/**
 * Access tokens: short-lived JWTs that say who signed in, and in which family. They say nothing
 * of roles: those are looked up when a token is used, so that taking one away works at once.
 *
 * Rules (RFC 8725): one algorithm, fixed by the settings and never by the token; a header of
 * exactly `alg`, `typ` and `kid`, so that no key is ever fetched or embedded; issuer, audience,
 * type, and times are required. Checked tokens are kept by the whole SHA-256 digest until they
 * expire, the eldest making room; whether their user and family are still good is not kept.
 */
import { hash } from 'node:crypto';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import { isJsonObject, parseJson } from '../../kernel/json.ts';
import type { TokenKeys } from './token-keys.ts';

export interface AccessClaims {
  readonly userId: string;
  readonly familyId: string;
  readonly tenant: string;
  /** Milliseconds since the epoch. */
  readonly expiresAtMs: number;
}

export interface AccessTokens {
  sign(subject: Omit<AccessClaims, 'expiresAtMs'>): Promise<string>;
  /** From memory where it was checked before; null: not a good token. Never throws. */
  read(token: string): AccessClaims | null | Promise<AccessClaims | null>;
  /** Public keys as a JWK set; empty where tokens are signed by a shared secret. */
  publicKeys(): Promise<{ readonly keys: readonly Readonly<Record<string, unknown>>[] }>;
  readonly lifeMs: number;
}

export interface AccessTokensOptions {
  readonly keys: TokenKeys;
  readonly issuer: string;
  readonly lifeMs: number;
  readonly clock: Pick<Clock, 'wallMs'>;
  readonly ids: IdSource;
  /** Checked tokens that are kept; 10 000. */
  readonly maxKept?: number;
}

const AUDIENCE = 'esclusa';
const TYPE = 'at+jwt';
const TOKEN_LENGTH_MAX = 2048;
const HEADER_MEMBERS = 'alg,kid,typ';
/** Clocks of two hosts may differ by this. */
const TOLERANCE_SECONDS = 5;
const REQUIRED = ['iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'jti', 'sid', 'tenant'];

export function createAccessTokens(options: AccessTokensOptions): AccessTokens {
  const { keys, issuer, lifeMs, clock, ids, maxKept = 10_000 } = options;
  const kept = new Map<string, AccessClaims>();

  function keep(digest: string, claims: AccessClaims): void {
    if (kept.size >= maxKept) {
      const [eldest] = kept.keys();
      if (eldest !== undefined) kept.delete(eldest);
    }
    kept.set(digest, claims);
  }

  async function check(token: string, digest: string): Promise<AccessClaims | null> {
    const claims = await verify(token, keys, issuer, clock.wallMs());
    if (claims !== null) keep(digest, claims);
    return claims;
  }

  return {
    lifeMs,
    async sign({ userId, familyId, tenant }) {
      const { SignJWT } = await import('jose');
      const issued = Math.floor(clock.wallMs() / 1000);
      return new SignJWT({ sid: familyId, tenant, typ: 'access' })
        .setProtectedHeader({ alg: keys.algorithm, typ: TYPE, kid: keys.current.id })
        .setIssuer(issuer)
        .setAudience(AUDIENCE)
        .setSubject(userId)
        .setIssuedAt(issued)
        .setNotBefore(issued)
        .setExpirationTime(issued + Math.floor(lifeMs / 1000))
        .setJti(ids.next('jti'))
        .sign(keys.current.sign);
    },
    read(token) {
      if (token.length > TOKEN_LENGTH_MAX || !isPlainHeader(token, keys)) return null;
      const digest = hash('sha256', token, 'base64url');
      const claims = kept.get(digest);
      if (claims === undefined) return check(token, digest);
      if (claims.expiresAtMs > clock.wallMs()) return claims;
      kept.delete(digest);
      return null;
    },
    async publicKeys() {
      if (keys.algorithm !== 'EdDSA') return { keys: [] };
      const { exportJWK } = await import('jose');
      const members = { use: 'sig', alg: keys.algorithm };
      const exported = keys.live.map(async ({ id, verify: key }) => ({
        ...(await exportJWK(key)),
        kid: id,
        ...members,
      }));
      return { keys: await Promise.all(exported) };
    },
  };
}

/** Judged before anything else is read: three members, ours, and nothing beside them. */
function isPlainHeader(token: string, keys: TokenKeys): boolean {
  const header = parseJson(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString());
  if (!isJsonObject(header)) return false;
  return (
    Object.keys(header).sort().join() === HEADER_MEMBERS &&
    header.alg === keys.algorithm &&
    header.typ === TYPE &&
    keys.live.some(({ id }) => id === header.kid)
  );
}

async function verify(
  token: string,
  keys: TokenKeys,
  issuer: string,
  nowMs: number,
): Promise<AccessClaims | null> {
  const { jwtVerify, errors } = await import('jose');
  try {
    const { payload } = await jwtVerify(
      token,
      ({ kid }) => {
        const key = keys.live.find(({ id }) => id === kid);
        if (key === undefined) throw new errors.JWKSNoMatchingKey();
        return key.verify;
      },
      {
        algorithms: [keys.algorithm],
        typ: TYPE,
        issuer,
        audience: AUDIENCE,
        clockTolerance: TOLERANCE_SECONDS,
        currentDate: new Date(nowMs),
        requiredClaims: REQUIRED,
      },
    );
    const { sub, sid, tenant, typ, exp = 0 } = payload;
    const isText = [sub, sid, tenant].every((claim) => typeof claim === 'string' && claim !== '');
    if (!isText || typ !== 'access' || exp * 1000 <= nowMs) return null;
    return {
      userId: String(sub),
      familyId: String(sid),
      tenant: String(tenant),
      expiresAtMs: exp * 1000,
    };
  } catch (error) {
    if (error instanceof errors.JOSEError) return null;
    throw error;
  }
}
