/**
 * Conversations that go on from kept answers, in the one dialect that has them: what came before
 * a request, and the keeping of its answer.
 */
import type { PlainAnswer, StreamFrame } from '../model/answer.ts';
import type { InferenceRequest } from '../model/request.ts';

/** Whose conversation it is. */
export interface ThreadOwner {
  readonly tenant: string;
  readonly keyId: string;
}

export interface Threads {
  /**
   * The request with the conversation that it goes on from before it; itself where there is
   * none. Throws `previous_response_not_found`, `invalid_request` (longer than can be gone on
   * from), `body_too_large` (to be kept), `storage_unavailable`.
   */
  recall(owner: ThreadOwner, request: InferenceRequest): Promise<InferenceRequest>;
  /** An answer that was given to another request before, as the answer to this one. */
  adopt(request: InferenceRequest, answer: PlainAnswer): PlainAnswer;
  /** The same of some events of a stream. */
  adoptFrame(request: InferenceRequest, frame: StreamFrame): StreamFrame;
  /**
   * Keeps the answer: the bytes of a plain one, or the event that ends a stream. Throws
   * `response_not_kept`, and `tenant_moving` while nothing of the tenant's is written.
   */
  keep(owner: ThreadOwner, request: InferenceRequest, answer: Buffer): Promise<void>;
}
