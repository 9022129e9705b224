/**
 * What the canonical form can hold and Ollama's API cannot say, by fixed names. The encoders can
 * name nothing else, and the documentation's table is made of the same names.
 */

/** Left out, and named. */
export const OLLAMA_DROPPED = [
  'cache_control',
  'messages[].content[].image_url.detail',
  'messages[].name',
  'messages[].signature',
  'messages[].thinking_blocks',
  'messages[].tool_calls[].signature',
  'metadata',
  'other fields',
  'parallel_tool_calls',
  'prediction',
  'prompt_cache_key',
  'reasoning_effort',
  'response_format.json_schema.name',
  'safety_identifier',
  'service_tier',
  'store',
  'thinking.budget_tokens',
  'tools[].function.strict',
  'user',
  'vendor',
  'verbosity',
] as const;
export type OllamaDropped = (typeof OLLAMA_DROPPED)[number];

/** Refused: leaving them out would change the meaning. */
export const OLLAMA_REFUSED = [
  'audio',
  'best_of',
  'echo',
  'function_call',
  'functions',
  'input',
  'logit_bias',
  'logprobs',
  'messages[].content[].file',
  'messages[].content[].image_url.url',
  'messages[].content[].input_audio',
  'messages[].content[].type',
  'messages[].role',
  'messages[].tool_calls[].function.arguments',
  'messages[].tool_calls[].type',
  'n',
  'prompt',
  'tool_choice',
  'tools[].type',
  'web_search_options',
] as const;
export type OllamaRefused = (typeof OLLAMA_REFUSED)[number];

/** How the encoders report both while they work. */
export interface Report {
  readonly drop: (field: OllamaDropped) => void;
  /** Makes the error to throw; `at` is the field as the client wrote it. */
  readonly refuse: (field: OllamaRefused, at?: string) => Error;
}
