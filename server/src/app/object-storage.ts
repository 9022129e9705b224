/**
 * The object storage, where the configuration names one: opened when it is needed, and looked at
 * from time to time, so that health can say how it is without a wait.
 */
import { type BucketWatch, watchBucket } from '../operations/index.ts';
import type { Parts, Undo } from './parts.ts';

const TIMEOUT_MS = 1800;
const MS_PER_SECOND = 1000;

/** null: there is none. */
export async function openBucket(parts: Parts, undo: Undo): Promise<BucketWatch | null> {
  const { objectStorage } = parts.loaded.config;
  const { url, secretAccessKey: secret, bucket, region, accessKeyId, probeSeconds } = objectStorage;
  if (url === null || secret === null) return null;
  const { createBucketProbe } = await import('../transport/bucket-probe.ts');
  const { clock } = parts;
  const log = parts.telemetry.log.named('object-storage');
  const probe = createBucketProbe({
    ...{ clock, log, url, bucket, region, accessKeyId, secret },
    timeoutMs: TIMEOUT_MS,
  });
  const watch = watchBucket(probe, { clock, intervalMs: probeSeconds * MS_PER_SECOND });
  undo.push(() => watch.close());
  return watch;
}
