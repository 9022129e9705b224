/**
 * People: the snapshot of users, their tokens and sessions, signing in and registering, and the
 * audit log that tells of it.
 */
import type { Config } from '../config/index.ts';
import type { Authenticator, LimitStore } from '../gateway/index.ts';
import {
  type AccessTokens,
  type AuditLog,
  createAccessTokens,
  createAuditLog,
  createAuthenticator,
  createInvitations,
  createPasswordHasher,
  createRefreshTokens,
  createRegistration,
  createSeal,
  createSealer,
  createSessions,
  createSignIn,
  createSingleSignOn,
  createStands,
  createTextHasher,
  createThrottle,
  createTokenKeys,
  createUserSnapshot,
  createUserUseCases,
  type DerivedKeys,
  type Invite,
  type KeySnapshot,
  type PasswordHasher,
  type Register,
  readRoleMap,
  type SignInUseCases,
  type SingleSignOn,
  type StandingOf,
  type Stands,
  type UserSnapshot,
  type UserUseCases,
} from '../identity/index.ts';
import type { Clock } from '../kernel/clock.ts';
import type { IdSource } from '../kernel/id.ts';
import type { Log } from '../kernel/log.ts';
import type { Random } from '../kernel/random.ts';
import type { Repositories } from '../storage/index.ts';
import { createMemoryLimitStore } from '../stores/memory/limit-store.ts';

const MS_PER_MINUTE = 60_000;
const MS_PER_DAY = 86_400_000;

export interface IdentityDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly ids: IdSource;
  readonly log: Log;
}

export interface People {
  readonly authenticator: Authenticator;
  readonly userSnapshot: UserSnapshot;
  readonly stands: Stands;
  readonly tokens: AccessTokens;
  readonly signIn: SignInUseCases;
  readonly register: Register;
  readonly singleSignOn: SingleSignOn | null;
  /** People reach this installation by https. */
  readonly isSecure: boolean;
  readonly users: UserUseCases;
  readonly invite: Invite;
  readonly hasher: PasswordHasher;
  /** Counts attempts to sign in there from now on: with all processes. */
  countSignInsIn(limits: LimitStore): void;
  readonly audit: AuditLog;
  /** Hashes events into the chain; checks it. */
  readonly sealAudit: ReturnType<typeof createSeal>;
}

interface Secrets {
  readonly secrets: DerivedKeys;
  readonly masterSecret: Uint8Array;
  readonly keySnapshot: KeySnapshot;
  readonly tenantExists: (slug: string) => Promise<boolean>;
  readonly standingOf: StandingOf;
}

export function createPeople(
  deps: IdentityDeps,
  config: Config,
  repositories: Repositories,
  { secrets, masterSecret, keySnapshot, tenantExists, standingOf }: Secrets,
): People {
  const { clock, ids, log } = deps;
  const { users, families, invitations } = repositories;
  const { auth } = config;
  const tokens = createAccessTokens({
    keys: createTokenKeys({
      algorithm: auth.algorithm,
      secret: auth.secretKey,
      previousSecret: auth.previousSecretKey,
      generation: auth.keyGeneration,
      master: masterSecret,
    }),
    issuer: auth.issuer,
    lifeMs: auth.accessMinutes * MS_PER_MINUTE,
    clock,
    ids,
  });
  const snapshot = createUserSnapshot({
    ...{ users, families, clock, log },
    maxAgeMs: auth.snapshotMaxAgeSeconds * 1000,
    tokenLifeMs: tokens.lifeMs,
  });
  const authenticator = createAuthenticator(keySnapshot, snapshot, tokens, standingOf, clock);
  const sealAudit = createSeal(secrets.auditKey);
  const audit = createAuditLog({
    ...{ repository: repositories.audit, seal: sealAudit, clock, log },
  });
  const hashText = createTextHasher(secrets.peopleKey);
  let limits: LimitStore = createMemoryLimitStore({ clock });
  const common = {
    ...{ users, families, invitations, snapshot, audit, hashText, standingOf, ids, clock },
    throttle: createThrottle({ take: (...asked) => limits.take(...asked) }, clock),
    hasher: createPasswordHasher(),
  };
  const sessions = createSessions({
    ...common,
    access: tokens,
    refresh: createRefreshTokens(secrets.refreshKey),
    refreshLifeMs: auth.refreshDays * MS_PER_DAY,
  });
  const singleSignOn = singleSignOnOf(config, (settings) =>
    createSingleSignOn({
      ...common,
      ...{ settings, sessions, tenantExists },
      sealer: createSealer(secrets.carryKey, 'single-sign-on', deps),
    }),
  );
  return {
    authenticator,
    singleSignOn,
    isSecure: auth.oidcRedirectUrl?.startsWith('https:') === true,
    userSnapshot: snapshot,
    stands: createStands(keySnapshot, snapshot),
    tokens,
    ...{ audit, sealAudit },
    hasher: common.hasher,
    countSignInsIn(store) {
      limits = store;
    },
    users: createUserUseCases({ ...common, sessions, tenantExists }),
    invite: createInvitations({ ...common, random: deps.random, tenantExists }),
    signIn: createSignIn({ ...common, sessions, tokens, authenticator, standingOf }),
    register: createRegistration({ ...common, isOpen: config.environment !== 'production' }),
  };
}

type SingleSignOnSettings = Parameters<typeof createSingleSignOn>[0]['settings'];

/** null where no issuer is configured. */
function singleSignOnOf(
  { auth }: Config,
  create: (settings: SingleSignOnSettings) => SingleSignOn,
): SingleSignOn | null {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcRedirectUrl: redirectUrl } = auth;
  if (issuer === null || clientId === null || redirectUrl === null) return null;
  return create({
    ...{ issuer, clientId, redirectUrl },
    clientSecret: auth.oidcClientSecret,
    scopes: auth.oidcScopes,
    roleClaim: auth.oidcRoleClaim,
    roleMap: auth.oidcRoleMap === null ? {} : (readRoleMap(auth.oidcRoleMap) ?? {}),
    tenantClaim: auth.oidcTenantClaim,
    defaultTenant: auth.oidcTenant,
  });
}
