/**
 * `POST /v1/embeddings`: texts to vectors, as floats or in base 64 as the provider gives them.
 */
import { openaiEndpoint } from './endpoint.ts';

export const embeddings = openaiEndpoint('/v1/embeddings', 'embedding');
