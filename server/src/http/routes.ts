/**
 * Every endpoint that runs models. Each goes through the whole pipeline and so needs an API
 * key; the routes of the control plane stand in `admin/`, each with its permission.
 */
import type { AnswerCodecs } from '../gateway/index.ts';
import { anthropicCodec } from './anthropic/codec.ts';
import { countTokens } from './anthropic/count-tokens.ts';
import { messages } from './anthropic/messages.ts';
import type { EndpointFamily, InferenceEndpoint } from './endpoint.ts';
import { geminiCodec } from './gemini/codec.ts';
import { geminiEndpoints } from './gemini/endpoints.ts';
import { chatCompletions } from './openai/chat-completions.ts';
import { openaiCodec } from './openai/codec.ts';
import { completions } from './openai/completions.ts';
import { embeddings } from './openai/embeddings.ts';
import { responsesCodec } from './responses/codec.ts';
import { inputTokens, responses } from './responses/endpoint.ts';

export const inferenceEndpoints: readonly InferenceEndpoint[] = [
  chatCompletions,
  completions,
  embeddings,
  responses,
  inputTokens,
  messages,
  countTokens,
];

/** Endpoints that stand behind a model in the path. */
export const endpointFamilies: readonly EndpointFamily[] = [geminiEndpoints];

/** How each dialect writes answers that came from a provider with another wire. */
export const answerCodecs: AnswerCodecs = {
  openai: openaiCodec,
  anthropic: anthropicCodec,
  gemini: geminiCodec,
  responses: responsesCodec,
};
