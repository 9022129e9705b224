/**
 * Every user in memory, and the families that ended lately, so that a token is judged without
 * the database: the signature says who, this says whether they still may.
 *
 * Invariants:
 * 1. Roles, limits and standing are those of the snapshot, never those of the token.
 * 2. A token of a family that ended is refused until it would have expired by itself; the ended
 *    are forgotten after that, and the eldest where there are too many.
 * 3. A failed refresh keeps what is held until it is `maxAgeMs` old; after that nobody is judged.
 */
import type { Authentication, Principal } from '../gateway/index.ts';
import type { Clock } from '../kernel/clock.ts';
import { createFreshness } from '../kernel/freshness.ts';
import type { Log } from '../kernel/log.ts';
import { createImportedCosts } from './passwords/imported-costs.ts';
import type { FamilyRepository } from './ports/family-repository.ts';
import type { UserRecord, UserRepository } from './ports/user-repository.ts';
import type { AccessClaims } from './tokens/access-tokens.ts';

const DEFAULT_MAX_USERS = 1_000_000;
const MAX_ENDED = 200_000;

export interface UserSnapshotOptions {
  readonly users: Pick<UserRepository, 'changedSince'>;
  readonly families: Pick<FamilyRepository, 'endedSince'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Age beyond which nobody is let in, in milliseconds. */
  readonly maxAgeMs: number;
  /** How long an access token is good. */
  readonly tokenLifeMs: number;
  /** Milliseconds between two polls; 1000. */
  readonly pollMs?: number | undefined;
  /** 1 000 000. */
  readonly maxUsers?: number | undefined;
}

export interface UserSnapshot {
  judge(claims: AccessClaims): Authentication;
  has(userId: string): boolean;
  /** False for one who was closed or whose session ended; true also where nobody can tell. */
  stands(userId: string, familyId: string | null): boolean;
  /** Of the dearest password hash that was imported and not yet replaced; null: there is none. */
  dearestImported(): number | null;
  start(): Promise<void>;
  refresh(): Promise<void>;
  state(): { readonly users: number; readonly isCurrent: boolean };
  stop(): void;
}

const UNKNOWN: Authentication = Object.freeze({ kind: 'unknown' });
const UNAVAILABLE: Authentication = Object.freeze({ kind: 'unavailable' });

export function createUserSnapshot(options: UserSnapshotOptions): UserSnapshot {
  const { clock, log, maxAgeMs, tokenLifeMs, maxUsers = DEFAULT_MAX_USERS } = options;
  const principals = new Map<string, Principal>();
  const ended = new Map<string, number>();
  const imported = createImportedCosts(maxUsers);
  let userVersion = 0;
  let familyVersion = 0;
  let isTruncated = false;

  function put(user: UserRecord): void {
    imported.note(user.id, user.passwordHash);
    if (!user.isActive || !user.isVerified) {
      principals.delete(user.id);
    } else if (principals.size < maxUsers || principals.has(user.id)) {
      principals.set(user.id, principalOf(user));
    } else if (!isTruncated) {
      isTruncated = true;
      log.error('there are more users than are held in memory', { max_users: maxUsers });
    }
  }

  function forgetEnded(sinceMs: number): void {
    for (const [id, endedAtMs] of ended) {
      if (endedAtMs >= sinceMs && ended.size <= MAX_ENDED) return;
      ended.delete(id);
    }
  }

  async function read(): Promise<void> {
    const sinceMs = clock.wallMs() - tokenLifeMs;
    const [changes, ends] = await Promise.all([
      options.users.changedSince(userVersion),
      options.families.endedSince(familyVersion, sinceMs),
    ]);
    for (const user of changes.users) put(user);
    for (const id of changes.removedIds) {
      principals.delete(id);
      imported.note(id, null);
    }
    for (const family of ends.ended) ended.set(family.id, family.endedAtMs);
    userVersion = changes.version;
    familyVersion = ends.version;
    forgetEnded(sinceMs);
  }

  const freshness = createFreshness({
    ...{ what: 'users', read, size: () => principals.size, clock, log },
    pollMs: options.pollMs,
  });

  return {
    judge({ userId, familyId, tenant }) {
      if (freshness.ageMs() > maxAgeMs) return UNAVAILABLE;
      const principal = principals.get(userId);
      if (principal === undefined) {
        return freshness.isCertain() && !isTruncated ? UNKNOWN : UNAVAILABLE;
      }
      if (principal.tenant !== tenant || ended.has(familyId)) return UNKNOWN;
      return { kind: 'known', principal: { ...principal, familyId } };
    },
    has: (userId) => principals.has(userId),
    stands: (userId, familyId) =>
      (principals.has(userId) || isTruncated) && (familyId === null || !ended.has(familyId)),
    dearestImported: imported.dearest,
    start: freshness.start,
    refresh: freshness.refresh,
    state: () => ({ users: principals.size, isCurrent: freshness.isCurrent() }),
    stop: freshness.stop,
  };
}

const NO_PERMISSION: readonly string[] = Object.freeze([]);

function principalOf(user: UserRecord): Principal {
  return Object.freeze<Principal>({
    kind: 'user',
    keyId: user.id,
    name: user.username,
    tenant: user.tenant,
    roles: Object.freeze([...user.roles]),
    // The path of models asks for a scope, not for a role: no role must be no permission there.
    scopes: user.roles.length === 0 ? NO_PERMISSION : null,
    models: user.models === null ? null : Object.freeze([...user.models]),
    limits: Object.freeze({ ...user.limits }),
    budget: user.budget === null ? null : Object.freeze({ ...user.budget }),
    expiresAtMs: null,
    familyId: null,
    cacheUse: 'default',
  });
}
