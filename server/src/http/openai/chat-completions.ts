/**
 * `POST /v1/chat/completions`: the endpoint nearly every client uses.
 */
import { openaiEndpoint } from './endpoint.ts';

export const chatCompletions = openaiEndpoint('/v1/chat/completions', 'chat');
