/**
 * Where documents are kept that are no rows of a database: a bucket of any storage that speaks
 * S3, or of Supabase by its own key. Without an address there is none.
 */
import { group, optionalText, text, whole } from './setting.ts';

const ADDRESS = /^https?:\/\/\S+$/;
const SECRET = /^[\x21-\x7e]{1,4096}$/;
const printable = 'printable ASCII without spaces';

export const objectStorageGroup = group(
  { apply: 'restart', description: 'A bucket for documents, of any storage that speaks S3.' },
  {
    url: optionalText(ADDRESS, {
      env: ['OBJECT_STORAGE_URL', 'SUPABASE_URL'],
      accepts: 'an http or https address',
      description: 'The address below which buckets are; without it there is no object storage.',
    }),
    bucket: text('tinkubot-providers', /^[a-z0-9][a-z0-9._-]{1,62}$/, {
      env: ['OBJECT_STORAGE_BUCKET', 'SUPABASE_PROVIDERS_BUCKET'],
      accepts: 'a bucket name',
      description: 'The bucket for documents of suppliers.',
    }),
    region: text('us-east-1', /^[a-z0-9-]{1,64}$/, {
      env: ['OBJECT_STORAGE_REGION'],
      accepts: 'lower-case letters, digits and hyphens',
      description: 'The region that requests are signed for.',
    }),
    access_key_id: optionalText(SECRET, {
      ...{ env: ['OBJECT_STORAGE_ACCESS_KEY_ID'], accepts: printable },
      description: 'Who signs; without it the secret is sent as a key of Supabase.',
    }),
    secret_access_key: optionalText(SECRET, {
      env: ['OBJECT_STORAGE_SECRET_ACCESS_KEY', 'SUPABASE_BACKEND_API_KEY'],
      ...{ secret: true, accepts: printable },
      description: 'What requests are signed with, or the key of Supabase.',
    }),
    probe_seconds: whole(
      30,
      { min: 1, max: 3600 },
      { description: 'How often a running service looks whether the bucket is there.' },
    ),
  },
);
