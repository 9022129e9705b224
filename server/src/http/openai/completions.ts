/**
 * `POST /v1/completions`: a bare prompt continued, as older clients ask for it.
 */
import { openaiEndpoint } from './endpoint.ts';

export const completions = openaiEndpoint('/v1/completions', 'completion');
