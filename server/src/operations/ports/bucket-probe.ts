/**
 * A look at the object storage that costs nothing: whether the bucket is there and lets us in.
 */

export type BucketVerdict =
  | { readonly kind: 'there' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'refused'; readonly status: number }
  | { readonly kind: 'unreachable'; readonly reason: string };

export interface BucketProbe {
  /** Never rejects. */
  probe(signal: AbortSignal): Promise<BucketVerdict>;
  close(): Promise<void>;
}
