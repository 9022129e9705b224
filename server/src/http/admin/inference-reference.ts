/**
 * The endpoints that run models, described for the reference. They are served by the edge and
 * checked there, permissively: what is not described is passed on to the provider.
 */
import type { DocumentedRoute } from './document.ts';
import { ANTHROPIC_REFERENCE } from './reference/anthropic.ts';
import { GEMINI_REFERENCE } from './reference/gemini.ts';
import { MODELS_REFERENCE } from './reference/models.ts';
import { OPENAI_REFERENCE } from './reference/openai.ts';
import { RESPONSES_REFERENCE } from './reference/responses.ts';

export const INFERENCE_REFERENCE: readonly DocumentedRoute[] = [
  ...OPENAI_REFERENCE,
  ...RESPONSES_REFERENCE,
  ...ANTHROPIC_REFERENCE,
  ...GEMINI_REFERENCE,
  ...MODELS_REFERENCE,
];
