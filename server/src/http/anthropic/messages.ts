/**
 * `POST /v1/messages`: a conversation continued, whole or as a stream of events.
 */
import { anthropicEndpoint } from './endpoint.ts';

export const messages = anthropicEndpoint('/v1/messages', 'chat');
