/**
 * Asks a storage whether a bucket is there: `HeadBucket` signed for S3 where there is an access
 * key, else Supabase's own address of buckets with its key. Nothing is read, nothing is written.
 */

import type { UpstreamRequest } from '../gateway/ports/upstream.ts';
import type { Clock } from '../kernel/clock.ts';
import type { Log } from '../kernel/log.ts';
import type { BucketProbe, BucketVerdict } from '../operations/ports/bucket-probe.ts';
import { createHttpUpstream } from './http-upstream.ts';
import { signV4 } from './sigv4.ts';
import { checkProviderUrl, operatorUrlPolicy } from './url-guard.ts';

export interface BucketProbeOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Of the S3 API, or of the Supabase project. */
  readonly url: string;
  readonly bucket: string;
  readonly region: string;
  /** null: `secret` is a key of Supabase. */
  readonly accessKeyId: string | null;
  readonly secret: string;
  readonly timeoutMs: number;
}

const NO_BODY = new Uint8Array();
const BODY_MAX_BYTES = 65_536;

/** Throws where the address is none that may be called. */
export function createBucketProbe(options: BucketProbeOptions): BucketProbe {
  const { clock, log, timeoutMs } = options;
  const checked = checkProviderUrl(options.url, operatorUrlPolicy);
  if (!checked.ok) throw new Error(`object_storage.url: ${checked.problem}`);
  const { url } = checked;
  const upstream = createHttpUpstream({
    ...{ name: 'object-storage', baseUrl: url, connectMs: timeoutMs, connections: 1 },
    ...{ clock, log },
  });
  return {
    async probe(signal) {
      const limits = { firstByteMs: timeoutMs, idleMs: timeoutMs };
      try {
        const answer = await upstream.send(requestOf(options, url), limits, signal);
        await answer.body.collect(BODY_MAX_BYTES).catch(() => undefined);
        return verdictOf(answer.status);
      } catch (error) {
        return { kind: 'unreachable', reason: reasonOf(error) };
      }
    },
    close: () => upstream.destroy(),
  };
}

function requestOf(options: BucketProbeOptions, url: URL): UpstreamRequest {
  const { bucket, accessKeyId, secret, region, clock } = options;
  if (accessKeyId === null) {
    const headers = { authorization: `Bearer ${secret}`, apikey: secret };
    return { method: 'GET', path: `/storage/v1/bucket/${bucket}`, headers, body: null };
  }
  const path = `/${bucket}`;
  const prefix = url.pathname === '/' ? '' : url.pathname;
  const headers = signV4(
    { method: 'HEAD', host: url.host, path: prefix + path, query: '', body: NO_BODY },
    { accessKeyId, secretAccessKey: secret, region, service: 's3' },
    clock.wallMs(),
  );
  return { method: 'HEAD', path, headers, body: null };
}

/** Storages of other regions answer 301: they have the bucket, elsewhere. */
function verdictOf(status: number): BucketVerdict {
  if (status >= 200 && status < 300) return { kind: 'there' };
  return status === 404 ? { kind: 'missing' } : { kind: 'refused', status };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
