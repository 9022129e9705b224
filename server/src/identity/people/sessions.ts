/**
 * Sessions: a sign-in begins a family of refresh tokens, each of which is used once for the
 * next and a new access token.
 *
 * Invariants:
 * 1. A token that was used is refused and ends its family, because one of two holders has
 *    stolen it; except within `GRACE_MS`, to the very client that used it, where its answer
 *    was lost, or two of its windows refreshed at once. Both then hold the same token.
 * 2. An ended family gives no tokens any more, and its access tokens are refused within two
 *    seconds everywhere, at once in this process.
 * 3. While its tenant is suspended a family gives none either, and keeps its place.
 */
import { GatewayError } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { StandingOf } from '../authenticator.ts';
import type { FamilyEnd, FamilyRecord, FamilyRepository } from '../ports/family-repository.ts';
import type { UserRecord, UserRepository } from '../ports/user-repository.ts';
import type { AccessTokens } from '../tokens/access-tokens.ts';
import type { RefreshClaims, RefreshTokens } from '../tokens/refresh-tokens.ts';
import type { UserSnapshot } from '../user-snapshot.ts';
import { type Caller, clientOf, type HashText, sourceOf } from './caller.ts';

export interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly accessLifeMs: number;
  readonly refreshLifeMs: number;
  /** Tell that the client never had it: it may then ask once more. */
  readonly lost: () => void;
}

export interface Refreshed {
  readonly session: Session;
  readonly user: UserRecord;
}

export interface Sessions {
  begin(user: UserRecord, caller: Caller): Promise<Session>;
  /**
   * Throws `refresh_refused`, `tenant_suspended`; `onReuse` hears of a token that was used before.
   */
  refresh(
    token: string,
    caller: Caller,
    onReuse: (family: FamilyRecord) => Promise<unknown>,
  ): Promise<Refreshed>;
  end(familyId: string, reason: FamilyEnd): Promise<void>;
  endAllOf(userId: string, reason: FamilyEnd): Promise<void>;
  /** Those of a user that may still be refreshed, newest first. */
  living(userId: string): Promise<readonly FamilyRecord[]>;
  knowsSource(userId: string, caller: Caller): Promise<boolean>;
}

/** What this process knows of the last refreshes, the eldest forgotten. */
interface Recent {
  readonly generation: number;
  /** On the monotonic clock, when its answer was ready. */
  readonly readyAtMs: number;
  isLost: boolean;
}

export interface SessionsOptions {
  readonly families: FamilyRepository;
  readonly users: Pick<UserRepository, 'get'>;
  readonly snapshot: Pick<UserSnapshot, 'has' | 'refresh'>;
  readonly access: AccessTokens;
  readonly refresh: RefreshTokens;
  readonly refreshLifeMs: number;
  readonly standingOf: StandingOf;
  readonly hashText: HashText;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs' | 'monotonicMs'>;
}

const GRACE_MS = 5000;
const RECENT_MAX = 10_000;
/** Sign-ins that one user may have at once; the eldest makes room. */
const FAMILIES_MAX = 50;
/** How long one that expired is kept, as a place that the user is known to sign in from. */
const REMEMBERED_MS = 30 * 86_400_000;

export function createSessions(options: SessionsOptions): Sessions {
  const { families, snapshot, hashText, ids, clock, refreshLifeMs } = options;
  const recent = new Map<string, Recent>();

  function record(user: UserRecord, caller: Caller): FamilyRecord {
    const nowMs = clock.wallMs();
    return {
      id: ids.next('fam'),
      userId: user.id,
      generation: 1,
      client: clientOf(caller, hashText),
      source: sourceHash(caller),
      createdAtMs: nowMs,
      rotatedAtMs: nowMs,
      expiresAtMs: nowMs + refreshLifeMs,
      endedAtMs: null,
      endReason: null,
    };
  }

  const sourceHash = (caller: Caller): string => hashText(`source\n${sourceOf(caller)}`);

  return {
    async begin(user, caller) {
      const family = record(user, caller);
      const forgetBeforeMs = family.createdAtMs - REMEMBERED_MS;
      await families.insert(family, { keep: FAMILIES_MAX, forgetBeforeMs });
      // Somebody who was made a moment ago, elsewhere, may call here at once.
      if (!snapshot.has(user.id)) await snapshot.refresh();
      return tokensOf(options, user, { familyId: family.id, generation: 1 });
    },
    refresh: (token, caller, onReuse) => refresh({ ...options, recent }, token, caller, onReuse),
    async end(familyId, reason) {
      await families.end(familyId, reason, clock.wallMs());
      await snapshot.refresh();
    },
    async endAllOf(userId, reason) {
      await families.endAllOf(userId, reason, clock.wallMs());
      await snapshot.refresh();
    },
    living: (userId) => families.livingOf(userId, clock.wallMs()),
    knowsSource: (userId, caller) => families.knowsSource(userId, sourceHash(caller)),
  };
}

interface RefreshOptions extends SessionsOptions {
  readonly recent: Map<string, Recent>;
}

async function refresh(
  options: RefreshOptions,
  token: string,
  caller: Caller,
  onReuse: (family: FamilyRecord) => Promise<unknown>,
): Promise<Refreshed> {
  const { families, users, snapshot, clock } = options;
  const began = { wallMs: clock.wallMs(), monotonicMs: clock.monotonicMs() };
  const claims = options.refresh.read(token);
  const family = claims === null ? null : await families.get(claims.familyId);
  if (claims === null || family === null || !isAlive(family, began.wallMs)) throw refused();
  const user = await users.get(family.userId, null);
  if (user === null || !user.isActive || !user.isVerified) throw refused();
  if (caller.tenant !== null && caller.tenant !== user.tenant) throw refused();
  if (options.standingOf(user.tenant) === 'suspended') throw new GatewayError('tenant_suspended');
  const generation = await advance(options, family, claims, caller, began);
  if (generation === null) {
    await families.end(family.id, 'reuse', clock.wallMs());
    await snapshot.refresh();
    await onReuse(family);
    throw refused();
  }
  const session = await tokensOf(options, user, { familyId: family.id, generation });
  return { user, session: { ...session, lost: remember(options, family.id, generation) } };
}

/** The generation that follows; null where the token was used before. */
async function advance(
  options: RefreshOptions,
  seen: FamilyRecord,
  claims: RefreshClaims,
  caller: Caller,
  began: { readonly wallMs: number; readonly monotonicMs: number },
): Promise<number | null> {
  const { families, clock, hashText, refreshLifeMs, recent } = options;
  const client = clientOf(caller, hashText);
  const fromGeneration = claims.generation;
  const nowMs = clock.wallMs();
  if (seen.generation === fromGeneration) {
    const rotation = { fromGeneration, client, nowMs, expiresAtMs: nowMs + refreshLifeMs };
    if (await families.rotate(seen.id, rotation)) return fromGeneration + 1;
  }
  const now = await families.get(seen.id);
  const isSameClient =
    now !== null &&
    now.endedAtMs === null &&
    now.generation === fromGeneration + 1 &&
    now.client === client &&
    nowMs - now.rotatedAtMs <= GRACE_MS;
  if (!isSameClient) return null;
  const last = recent.get(seen.id);
  const isOurs = last?.generation === now.generation;
  const wasAtOnce = isOurs
    ? began.monotonicMs <= last.readyAtMs
    : began.wallMs <= now.rotatedAtMs || seen.generation === fromGeneration;
  return wasAtOnce || (isOurs && last.isLost) ? now.generation : null;
}

/** Notes a refresh; the answer tells that it did not arrive. */
function remember({ recent, clock }: RefreshOptions, id: string, generation: number): () => void {
  const entry: Recent = { generation, readyAtMs: clock.monotonicMs(), isLost: false };
  const known = recent.get(id);
  if (known?.generation === generation) return () => undefined;
  recent.delete(id);
  if (recent.size >= RECENT_MAX) {
    const [eldest] = recent.keys();
    if (eldest !== undefined) recent.delete(eldest);
  }
  recent.set(id, entry);
  return () => {
    entry.isLost = true;
  };
}

function isAlive(family: FamilyRecord, nowMs: number): boolean {
  return family.endedAtMs === null && family.expiresAtMs > nowMs;
}

async function tokensOf(
  { access, refresh: refreshTokens, refreshLifeMs }: SessionsOptions,
  { id: userId, tenant }: UserRecord,
  claims: RefreshClaims,
): Promise<Session> {
  return {
    accessToken: await access.sign({ userId, familyId: claims.familyId, tenant }),
    refreshToken: refreshTokens.make(claims),
    accessLifeMs: access.lifeMs,
    refreshLifeMs,
    lost: () => undefined,
  };
}

function refused(): GatewayError {
  return new GatewayError('refresh_refused', {
    message: 'The refresh token is not good any more. Sign in again.',
    field: 'refresh_token',
  });
}
