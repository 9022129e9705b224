/**
 * Settings that every provider behind a network has: its address, its credential, and further
 * headers. Each kind's schema is made of these and of what only that kind has.
 */
import { z } from 'zod';

/** Headers the gateway sets itself or that belong to one connection. */
const RESERVED_HEADERS = new Set([
  'accept-encoding',
  'api-key',
  'authorization',
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-api-key',
  'x-goog-api-key',
]);

const headerName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/)
  .refine((name) => !RESERVED_HEADERS.has(name))
  .meta({
    accepts: 'a lower-case header name that is neither a credential nor set by the gateway',
  });

const headerValue = z
  .string()
  .regex(/^[\x20-\x7e]{0,4096}$/)
  .meta({ accepts: 'up to 4096 printable ASCII characters', secret: true });

/** A value of one header: a credential where `secret`. */
export const token = (description: string, secret: boolean) =>
  z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/)
    .optional()
    .meta({ description, secret, accepts: 'printable ASCII without spaces, up to 512 characters' });

const KEYS_MAX = 32;

/** Further credentials, sent as the first one is. */
export const furtherKeys = {
  api_keys: z
    .array(token('', true).unwrap())
    .check(z.minLength(1), z.maxLength(KEYS_MAX))
    .optional()
    .meta({
      description:
        'Several credentials that calls take turns with, beside `api_key` where both are given. ' +
        'One that is refused, used up or limited rests, and the call goes on with the next.',
      accepts: `a list of 1 to ${KEYS_MAX} credentials`,
      secret: true,
    }),
};

export const address = {
  base_url: z.string().refine(isBaseUrl).optional().meta({
    description: 'Address below which the API lies; the vendor’s own where it is left out.',
    accepts: 'an http or https address without credentials, query or fragment',
  }),
  headers: z
    .record(headerName, headerValue)
    .default({})
    .meta({ description: 'Further headers for every request to this provider.', key: 'header' }),
};

function isBaseUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return false;
  return url.username === '' && url.password === '' && !/[?#]/.test(text);
}
