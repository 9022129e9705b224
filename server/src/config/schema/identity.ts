/**
 * The settings of who may call: the first administrator, API keys, tokens of people.
 */
import { choice, group, optionalText, text, whole } from './setting.ts';

const restart = { apply: 'restart' } as const;

export const adminGroup = group(
  { ...restart, description: 'The first administrator.' },
  {
    key: optionalText(/^[\x21-\x7e]{8,512}$/, {
      env: ['ESCLUSA_ADMIN_KEY'],
      secret: true,
      accepts: '8 to 512 printable ASCII characters without spaces, at least 32 in production',
      description: 'An API key with the role superadmin, valid from the first start.',
    }),
    email: optionalText(/^[^\s@]+@[^\s@]+$/, {
      env: ['ESCLUSA_ADMIN_EMAIL'],
      accepts: 'an e-mail address',
      description: 'The address of the first administrator.',
    }),
    password: optionalText(/^.{8,256}$/, {
      env: ['ESCLUSA_ADMIN_PASSWORD'],
      secret: true,
      accepts: '8 to 256 characters',
      description: 'The password of the first administrator; generated where it is left out.',
    }),
  },
);

export const authGroup = group(
  { apply: 'live', description: 'Checking of API keys and of tokens of people.' },
  {
    mode: choice('strict', ['strict', 'dev'], {
      ...restart,
      env: ['AUTH_MODE'],
      accepts: '`strict`, or `dev`, which production refuses',
      description:
        '`dev` lets in who calls from this machine without a credential, as an administrator of ' +
        'the default tenant.',
    }),
    snapshot_max_age_seconds: whole(
      3600,
      { min: 1, max: 604_800 },
      {
        description: 'How long known keys and users stay valid while the database cannot be read.',
      },
    ),
    secret_key: optionalText(/^.{1,4096}$/s, {
      ...restart,
      env: ['JWT_SECRET_KEY'],
      secret: true,
      accepts: 'at least 32 characters in production, and not the placeholder',
      description: 'The secret that signs tokens; derived from the master secret if left out.',
    }),
    previous_secret_key: optionalText(/^.{1,4096}$/s, {
      ...restart,
      env: ['JWT_PREVIOUS_SECRET_KEY'],
      secret: true,
      accepts: 'the secret that was replaced',
      description: 'Still good for checking tokens, during a rotation.',
    }),
    key_generation: whole(
      1,
      { min: 1, max: 1_000_000 },
      {
        ...restart,
        description: 'Counts rotations of a derived key; the one before stays good for checking.',
      },
    ),
    algorithm: choice('HS256', ['HS256', 'HS384', 'HS512', 'EdDSA'], {
      ...restart,
      env: ['JWT_ALGORITHM'],
      description: 'How tokens are signed. With `EdDSA` others check them by published keys.',
    }),
    issuer: text('esclusa', /^[\x21-\x7e]{1,200}$/, {
      ...restart,
      accepts: '1 to 200 printable ASCII characters without spaces',
      description: 'Who issues tokens, as they say themselves.',
    }),
    oidc_issuer: optionalText(/^https?:\/\/\S{1,500}$/, {
      ...restart,
      env: ['OIDC_ISSUER'],
      accepts: 'an http or https address; https in production',
      description: 'The issuer of single sign-on by OpenID Connect; without it there is none.',
    }),
    oidc_client_id: optionalText(/^[\x21-\x7e]{1,300}$/, {
      ...restart,
      env: ['OIDC_CLIENT_ID'],
      accepts: '1 to 300 printable ASCII characters without spaces',
      description: 'Who this installation is at the issuer.',
    }),
    oidc_client_secret: optionalText(/^[\x20-\x7e]{1,500}$/, {
      ...restart,
      env: ['OIDC_CLIENT_SECRET'],
      secret: true,
      accepts: '1 to 500 printable ASCII characters',
      description: 'Its secret there; left out for a public client.',
    }),
    oidc_redirect_url: optionalText(/^https?:\/\/\S{1,400}\/api\/v1\/auth\/oidc\/callback$/, {
      ...restart,
      env: ['OIDC_REDIRECT_URL'],
      accepts: 'the public address of this installation with `/api/v1/auth/oidc/callback`',
      description: 'Where the issuer leads people back to.',
    }),
    oidc_scopes: text('openid email profile', /^openid( [\x21-\x7e]+){0,20}$/, {
      ...restart,
      accepts: '`openid` and others, separated by spaces',
      description: 'What the issuer is asked for.',
    }),
    oidc_role_claim: text('roles', /^[\x21-\x7e]{1,200}$/, {
      ...restart,
      accepts: 'the name of a claim, such as `groups` or `realm_access.roles`',
      description: 'Where the issuer says what somebody is.',
    }),
    oidc_role_map: optionalText(/^[^=,]+=[a-z ]+(,[^=,]+=[a-z ]+)*$/, {
      ...restart,
      accepts: 'pairs such as `staff=instructor, it=admin`',
      description: 'Roles by what the issuer says; left out, roles are given here.',
    }),
    oidc_tenant_claim: optionalText(/^[\x21-\x7e]{1,200}$/, {
      ...restart,
      accepts: 'the name of a claim',
      description: 'Where the issuer says whose somebody is; left out, all are of one tenant.',
    }),
    oidc_tenant: text('default', /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, {
      ...restart,
      accepts: 'the short name of a tenant',
      description: 'The tenant of who comes by single sign-on, where no claim says it.',
    }),
    access_minutes: whole(
      30,
      { min: 1, max: 1440 },
      {
        ...restart,
        env: ['JWT_ACCESS_TOKEN_EXPIRE_MINUTES'],
        description: 'How long an access token is valid.',
      },
    ),
    refresh_days: whole(
      7,
      { min: 1, max: 365 },
      {
        ...restart,
        env: ['JWT_REFRESH_TOKEN_EXPIRE_DAYS'],
        description: 'How long a refresh token is valid, from the last refresh.',
      },
    ),
  },
);
