/**
 * The directives of a request's `cache-control` that the response cache honours (RFC 9111).
 * Unknown directives are ignored, as the standard asks.
 */
import { type CacheControl, GatewayError, NO_CACHE_CONTROL } from '../gateway/index.ts';

/** Throws `header_invalid` for a number of seconds that is not one. */
export function readCacheControl(header: string): CacheControl {
  const result: { -readonly [K in keyof CacheControl]: CacheControl[K] } = { ...NO_CACHE_CONTROL };
  for (const part of header.split(',')) {
    const [name = '', value] = part.trim().toLowerCase().split('=', 2);
    if (name === 'no-cache') result.noCache = true;
    else if (name === 'no-store') result.noStore = true;
    else if (name === 'only-if-cached') result.onlyIfCached = true;
    else if (name === 'max-age') result.maxAgeSeconds = seconds(name, value);
    else if (name === 'stale-if-error') result.staleIfErrorSeconds = seconds(name, value);
    else if (name === 'stale-while-revalidate') {
      result.staleWhileRevalidateSeconds = seconds(name, value);
    }
  }
  return result;
}

function seconds(name: string, value: string | undefined): number {
  const text = (value ?? '').replace(/^"(.*)"$/, '$1');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new GatewayError('header_invalid', {
    message: `cache-control: ${name} takes a whole number of seconds.`,
    field: 'cache-control',
  });
}
