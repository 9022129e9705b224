/**
 * What the canonical form can hold and OpenAI's wire cannot say, by fixed names. The encoder
 * can name nothing else, and the documentation's table is made of the same names.
 */

/** Left out, and named. */
export const OPENAI_DROPPED = [
  'cache_control',
  'messages[].reasoning_content',
  'messages[].signature',
  'messages[].thinking_blocks',
  'messages[].tool_calls[].signature',
  'thinking',
  'top_k',
  'vendor',
] as const;
export type OpenaiDropped = (typeof OPENAI_DROPPED)[number];

/** Refused: leaving them out would change the meaning. */
export const OPENAI_REFUSED = ['messages[].content[].file.file_url'] as const;
export type OpenaiRefused = (typeof OPENAI_REFUSED)[number];

/** How an encoder reports both while it works. */
export interface Report {
  readonly drop: (field: OpenaiDropped) => void;
  /** Makes the error to throw. */
  readonly refuse: (field: OpenaiRefused) => Error;
}
