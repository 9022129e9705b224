/**
 * `POST /v1/messages/count_tokens`: the size of a conversation, without running it.
 */
import { anthropicEndpoint } from './endpoint.ts';

export const countTokens = anthropicEndpoint('/v1/messages/count_tokens', 'count_tokens');
