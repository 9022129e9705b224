/**
 * Answers to requests that carry an `Idempotency-Key`, kept so that the same request gets the
 * same answer again. What is kept is sealed: the store sees neither keys nor answers.
 */

/** Where the answer to one key of one principal is kept. */
export interface ReplayPlace {
  readonly tenant: string;
  /** Names the key without telling it. */
  readonly id: string;
}

export type ReplayFinding =
  /** Nobody was here: the caller runs the request, and says what came of it. */
  | { readonly kind: 'claimed'; readonly claim: ReplayClaim }
  /** The request with this fingerprint runs. */
  | { readonly kind: 'running'; readonly fingerprint: string }
  | { readonly kind: 'kept'; readonly fingerprint: string; readonly answer: Buffer };

/** A claim whose process died ends by itself after a while. */
export interface ReplayClaim {
  /** Resolves with whether the answer is kept; never rejects. Ends the claim. */
  keep(answer: Buffer): Promise<boolean>;
  /** The place is free again. Harmless after the claim has ended. */
  release(): void;
}

export interface ReplayStore {
  /**
   * One step: of many that come at once, one claims. Rejects where nobody can tell. `again`: it
   * was seen to run before, so that whoever asks waits anyway, and must not run it unless it is
   * known that it may.
   */
  claim(place: ReplayPlace, fingerprint: string, again?: boolean): Promise<ReplayFinding>;
  /**
   * Resolves when what runs there may have ended, and from time to time before; rejects with
   * the signal's reason when it aborts.
   */
  ended(place: ReplayPlace, signal: AbortSignal): Promise<void>;
  /** Forgets every answer kept for a tenant. Rejects where nobody can tell. */
  forget(tenant: string): Promise<void>;
}
