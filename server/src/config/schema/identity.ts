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
