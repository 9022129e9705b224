/**
 * Signing in with OpenID Connect: the code flow with PKCE, state and nonce, at any issuer. The
 * library is loaded, and the issuer asked what it offers, at the first use.
 *
 * 1. A person is known by issuer and subject, never by the address alone. An account that has a
 *    password of its own is not taken over by an issuer that claims its address.
 * 2. Who comes for the first time gets an account, with the roles and the tenant that the claims
 *    map to; where roles are mapped they follow the claims at every sign-in.
 * 3. What the browser carries between the two steps is sealed, bound to it by a cookie, used
 *    once by the issuer's code, and expires.
 */
import { GatewayError, type Role } from '../../gateway/index.ts';
import type { Clock } from '../../kernel/clock.ts';
import type { IdSource } from '../../kernel/id.ts';
import type { AuditLog } from '../audit/audit-log.ts';
import type { StandingOf } from '../authenticator.ts';
import type { Caller } from '../people/caller.ts';
import { checkEmail, localPart } from '../people/names.ts';
import type { Session, Sessions } from '../people/sessions.ts';
import type { UserRecord, UserRepository } from '../ports/user-repository.ts';
import type { UserSnapshot } from '../user-snapshot.ts';
import { type ClaimRules, rolesOf, tenantOf } from './claims.ts';
import type { Sealer } from './sealed.ts';

export interface SingleSignOnSettings extends ClaimRules {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
  /** Where the issuer sends people back to: the callback of this installation. */
  readonly redirectUrl: string;
  readonly scopes: string;
}

export interface SingleSignOn {
  /** Where to send the browser, and what it has to bring back in a cookie. */
  begin(): Promise<{ readonly url: string; readonly carried: string; readonly lifeMs: number }>;
  /**
   * Completes a sign-in from the query the issuer sent the browser back with.
   * Throws `single_sign_on_refused`, `single_sign_on_unavailable`, `tenant_suspended`,
   * `storage_unavailable`.
   */
  finish(search: string, carried: string | null, caller: Caller): Promise<Session>;
}

export interface SingleSignOnOptions {
  readonly settings: SingleSignOnSettings;
  readonly users: UserRepository;
  readonly sessions: Pick<Sessions, 'begin' | 'endAllOf'>;
  readonly snapshot: Pick<UserSnapshot, 'refresh'>;
  readonly tenantExists: (slug: string) => Promise<boolean>;
  readonly standingOf: StandingOf;
  readonly sealer: Sealer;
  readonly audit: Pick<AuditLog, 'record'>;
  readonly ids: IdSource;
  readonly clock: Pick<Clock, 'wallMs'>;
}

type Library = typeof import('openid-client');
type Issuer = Awaited<ReturnType<Library['discovery']>>;
type Claims = Readonly<Record<string, unknown>>;

const LIFE_MS = 600_000;
const TIMEOUT_SECONDS = 5;
const NAMES_TRIED = 20;

export function createSingleSignOn(options: SingleSignOnOptions): SingleSignOn {
  const { settings, sealer } = options;
  let asking: Promise<Issuer> | null = null;

  async function issuer(library: Library): Promise<Issuer> {
    asking ??= discover(library, settings);
    try {
      return await asking;
    } catch (cause) {
      asking = null; // the next sign-in asks again
      throw new GatewayError('single_sign_on_unavailable', { cause });
    }
  }

  return {
    async begin() {
      const library = await import('openid-client');
      const config = await issuer(library);
      const verifier = library.randomPKCECodeVerifier();
      const [state, nonce] = [library.randomState(), library.randomNonce()];
      const url = library.buildAuthorizationUrl(config, {
        redirect_uri: settings.redirectUrl,
        scope: settings.scopes,
        code_challenge: await library.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...{ state, nonce },
      });
      return {
        url: url.href,
        carried: sealer.seal({ verifier, state, nonce }, LIFE_MS),
        lifeMs: LIFE_MS,
      };
    },
    async finish(search, carried, caller) {
      const opened = carried === null ? null : sealer.open(carried);
      if (opened === null) throw refused('The sign-in was not begun here, or took too long.');
      const library = await import('openid-client');
      const config = await issuer(library);
      const { verifier = '', state = '', nonce = '' } = opened;
      const claims = await redeem(library, config, `${settings.redirectUrl}${search}`, {
        ...{ verifier, state, nonce },
      });
      return admit(options, config.serverMetadata().issuer, claims, caller);
    },
  };
}

function discover(library: Library, settings: SingleSignOnSettings): Promise<Issuer> {
  const { issuer, clientId, clientSecret } = settings;
  // Otherwise a token that came straight from the issuer is believed without its signature.
  const execute = [library.enableNonRepudiationChecks];
  if (issuer.startsWith('http:')) execute.push(library.allowInsecureRequests);
  return library.discovery(
    new URL(issuer),
    clientId,
    clientSecret ?? undefined,
    clientSecret === null ? library.None() : library.ClientSecretPost(clientSecret),
    { timeout: TIMEOUT_SECONDS, execute },
  );
}

async function redeem(
  library: Library,
  config: Issuer,
  url: string,
  {
    verifier,
    state,
    nonce,
  }: { readonly verifier: string; readonly state: string; readonly nonce: string },
): Promise<Claims & { readonly sub: string }> {
  try {
    const tokens = await library.authorizationCodeGrant(config, new URL(url), {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims !== undefined) return claims;
  } catch (cause) {
    throw refused('The issuer did not confirm the sign-in.', cause);
  }
  throw refused('The issuer did not say who signed in.');
}

async function admit(
  options: SingleSignOnOptions,
  issuer: string,
  claims: Claims & { readonly sub: string },
  caller: Caller,
): Promise<Session> {
  const { users, sessions, audit, settings } = options;
  const subject = `${issuer} ${claims.sub}`;
  const tenant = tenantOf(settings, claims);
  const roles = rolesOf(settings, claims);
  const isSuspended = options.standingOf(tenant) === 'suspended';
  const isHere = !isSuspended && (caller.tenant === null || caller.tenant === tenant);
  const user = isHere ? await accountOf(options, { subject, tenant, roles, claims }) : null;
  const mayEnter = user?.isActive === true && user.isVerified && user.tenant === tenant;
  await audit.record({
    tenant: user?.tenant ?? '',
    actor: mayEnter ? user.id : 'anonymous',
    action: 'auth.single_sign_on',
    subject: user?.id ?? null,
    outcome: mayEnter ? 'success' : 'failure',
    address: caller.address,
    requestId: caller.requestId,
    details: { issuer },
  });
  if (isSuspended) throw new GatewayError('tenant_suspended');
  if (!mayEnter) throw refused('This account cannot be used here. Ask an administrator.');
  await users.touch(user.id, options.clock.wallMs());
  return sessions.begin(user, caller);
}

async function accountOf(
  options: SingleSignOnOptions,
  visitor: Newcomer,
): Promise<UserRecord | null> {
  const known = await options.users.findBySubject(visitor.subject);
  return known === null ? welcome(options, visitor) : follow(options, known, visitor);
}

interface Newcomer {
  readonly subject: string;
  readonly tenant: string;
  readonly roles: readonly Role[] | null;
  readonly claims: Claims;
}

/** A new account, or the one that was made for this very address without a password. */
async function welcome(
  { users, snapshot, tenantExists, ids, clock }: SingleSignOnOptions,
  { subject, tenant, roles, claims }: Newcomer,
): Promise<UserRecord | null> {
  if (typeof claims.email !== 'string' || claims.email_verified === false) return null;
  if (!(await tenantExists(tenant))) return null;
  const email = checkEmail(claims.email);
  const same = await users.find({ email });
  if (same !== null) {
    const isOwn = same.tenant === tenant;
    const isWaiting = isOwn && same.passwordHash === null && same.subject === null;
    if (!isWaiting || claims.email_verified !== true) return null;
    return users.update(same.id, same.tenant, { subject, ...(roles !== null && { roles }) });
  }
  const user: UserRecord = {
    ...{ id: ids.next('usr'), tenant, email, subject, passwordHash: null },
    username: await freeName(users, claims, email),
    roles: roles ?? ['student'],
    isActive: true,
    isVerified: true,
    models: null,
    limits: {},
    budget: null,
    createdAtMs: clock.wallMs(),
    lastLoginAtMs: null,
  };
  await users.insert(user);
  await snapshot.refresh();
  return user;
}

async function follow(
  { users, snapshot }: SingleSignOnOptions,
  user: UserRecord,
  { tenant, roles }: Pick<Newcomer, 'tenant' | 'roles'>,
): Promise<UserRecord | null> {
  if (tenant !== user.tenant || roles === null || roles.join() === user.roles.join()) return user;
  const changed = await users.update(user.id, user.tenant, { roles });
  await snapshot.refresh();
  return changed;
}

async function freeName(users: UserRepository, claims: Claims, email: string): Promise<string> {
  const wished = typeof claims.preferred_username === 'string' ? claims.preferred_username : '';
  const raw = (wished === '' ? localPart(email) : wished).replaceAll(/[^A-Za-z0-9_-]+/g, '-');
  const base = raw.slice(0, 40).padEnd(3, '0');
  for (let number = 1; number <= NAMES_TRIED; number += 1) {
    const name = number === 1 ? base : `${base}-${number}`;
    if ((await users.find({ username: name })) === null) return name;
  }
  throw refused('No name is free for this account. Ask an administrator.');
}

function refused(message: string, cause?: unknown): GatewayError {
  return new GatewayError('single_sign_on_refused', { message, cause });
}
