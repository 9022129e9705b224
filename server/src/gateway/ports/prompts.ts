/**
 * An operator's prompt before a client's request, said in the dialect that the client speaks,
 * so that the request still passes through to a provider of that dialect.
 */
import type { InferenceRequest } from '../model/request.ts';

/** The request with `text` before it; of a chat, or of one that is to be counted. */
export type PlacePrompt = (request: InferenceRequest, text: string) => InferenceRequest;
