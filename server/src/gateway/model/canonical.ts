/**
 * The canonical form: OpenAI's chat shapes, with one extension bag, `esclusa`, for what OpenAI
 * cannot say. Inbound dialects decode to it and encode answers from it; providers encode
 * requests from it and decode answers to it. Unknown members are kept everywhere.
 *
 * Rules of the bag: it may stand on the body, a message, a content part, a tool, a tool call,
 * a choice or a delta; it holds only what the members below name; a provider that cannot carry
 * an entry either refuses (`field_not_supported`, where leaving it out changes the meaning) or
 * names it in `dropped`; it never leaves the gateway towards an OpenAI client or provider.
 */
import type { JsonObject, JsonValue } from '../../kernel/json.ts';

export interface CanonicalExtensions {
  /** Body: how many tokens of the top ones are sampled from (Anthropic, Gemini). */
  readonly top_k?: number;
  /** Body: how much to think: a budget of tokens, or as the vendor likes. */
  readonly thinking?: {
    readonly mode: 'enabled' | 'disabled' | 'adaptive';
    readonly budget_tokens?: number;
    readonly include_thoughts?: boolean;
  };
  /**
   * Message and delta: reasoning in the vendor's own pieces, in order, so that it can be sent
   * back unchanged. The plain text of it stands in `reasoning_content` as well.
   */
  readonly thinking_blocks?: readonly CanonicalThinking[];
  /** Part, tool, message: the provider may cache the prompt up to here. */
  readonly cache_control?: { readonly type: 'ephemeral'; readonly ttl?: string };
  /** Tool call: what the vendor wants to see again beside it (Gemini's thought signature). */
  readonly signature?: string;
  /** Message with role `tool`: the tool failed. */
  readonly is_error?: boolean;
  /** Choice: the stop sequence that ended it. */
  readonly stop_sequence?: string;
  /** Choice: why the vendor stopped, in its own word, where `finish_reason` is coarser. */
  readonly stop_reason?: string;
  /** Body of an answer: tokens written to the provider's prompt cache; part of the input. */
  readonly cache_creation_tokens?: number;
  /** Body: settings that only one vendor has, by its dialect, passed on to it alone. */
  readonly vendor?: Readonly<Record<string, JsonObject>>;
}

export type CanonicalThinking =
  | { readonly type: 'thinking'; readonly thinking: string; readonly signature?: string }
  | { readonly type: 'redacted'; readonly data: string };

export type CanonicalPart =
  | { readonly type: 'text'; readonly text: string; readonly esclusa?: CanonicalExtensions }
  | {
      readonly type: 'image_url';
      /** An https address, or `data:<media type>;base64,<data>`. */
      readonly image_url: { readonly url: string; readonly detail?: string };
      readonly esclusa?: CanonicalExtensions;
    }
  | {
      readonly type: 'file';
      /** `file_data` is a data URL; a document such as a PDF. */
      readonly file: {
        readonly file_data?: string;
        readonly file_id?: string;
        /** An https address. */
        readonly file_url?: string;
        readonly filename?: string;
      };
      readonly esclusa?: CanonicalExtensions;
    }
  | {
      readonly type: 'input_audio';
      readonly input_audio: { readonly data: string; readonly format: string };
      readonly esclusa?: CanonicalExtensions;
    }
  | { readonly type: 'refusal'; readonly refusal: string };

export interface CanonicalToolCall {
  readonly id: string;
  readonly type: 'function';
  /** `arguments` is JSON as the model wrote it, byte for byte. */
  readonly function: { readonly name: string; readonly arguments: string };
  readonly esclusa?: CanonicalExtensions;
}

export interface CanonicalMessage {
  readonly role: 'system' | 'developer' | 'user' | 'assistant' | 'tool';
  readonly content?: string | readonly CanonicalPart[] | null;
  readonly name?: string;
  readonly refusal?: string | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly CanonicalToolCall[];
  /** With role `tool`: the call it answers. */
  readonly tool_call_id?: string;
  readonly esclusa?: CanonicalExtensions;
}

export interface CanonicalTool {
  readonly type: 'function';
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: JsonObject;
    readonly strict?: boolean | null;
  };
  readonly esclusa?: CanonicalExtensions;
}

export type CanonicalToolChoice =
  | 'none'
  | 'auto'
  | 'required'
  | { readonly type: 'function'; readonly function: { readonly name: string } };

export type CanonicalResponseFormat =
  | { readonly type: 'text' }
  | { readonly type: 'json_object' }
  | {
      readonly type: 'json_schema';
      readonly json_schema: {
        readonly name: string;
        readonly description?: string;
        readonly schema?: JsonObject;
        readonly strict?: boolean | null;
      };
    };

/**
 * The members of a chat request that the gateway translates.
 *
 * @public the wires, which know no module of the core, match it by structure
 */
export interface CanonicalChatRequest {
  readonly model: string;
  readonly messages: readonly CanonicalMessage[];
  readonly max_completion_tokens?: number | null;
  readonly max_tokens?: number | null;
  readonly temperature?: number | null;
  readonly top_p?: number | null;
  readonly n?: number | null;
  readonly stop?: string | readonly string[] | null;
  readonly seed?: number | null;
  readonly presence_penalty?: number | null;
  readonly frequency_penalty?: number | null;
  readonly logprobs?: boolean | null;
  readonly top_logprobs?: number | null;
  readonly user?: string;
  readonly metadata?: JsonObject | null;
  readonly tools?: readonly CanonicalTool[];
  readonly tool_choice?: CanonicalToolChoice;
  readonly parallel_tool_calls?: boolean;
  readonly response_format?: CanonicalResponseFormat;
  readonly reasoning_effort?: string | null;
  readonly service_tier?: string | null;
  readonly stream?: boolean | null;
  readonly esclusa?: CanonicalExtensions;
}

export interface CanonicalUsage {
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  readonly total_tokens: number;
  readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number };
}

export interface CanonicalChoice {
  readonly index: number;
  readonly message: CanonicalMessage;
  readonly finish_reason: string;
  readonly logprobs?: JsonValue;
  readonly esclusa?: CanonicalExtensions;
}

/** @public the wires, which know no module of the core, match it by structure */
export interface CanonicalCompletion {
  readonly id: string;
  readonly object: 'chat.completion';
  readonly created: number;
  readonly model: string;
  readonly choices: readonly CanonicalChoice[];
  readonly usage?: CanonicalUsage;
  readonly esclusa?: CanonicalExtensions;
}

export interface CanonicalDelta {
  readonly role?: 'assistant';
  readonly content?: string | null;
  readonly refusal?: string | null;
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly {
    readonly index: number;
    /** With the first piece of a call. */
    readonly id?: string;
    readonly type?: 'function';
    readonly function?: { readonly name?: string; readonly arguments?: string };
    readonly esclusa?: CanonicalExtensions;
  }[];
  readonly esclusa?: CanonicalExtensions;
}

/** Answers `count_tokens`. */
export interface CanonicalTokenCount {
  readonly object: 'token_count';
  readonly input_tokens: number;
}

/** One event of a stream; `usage` stands on the last chunk, whose `choices` may be empty. */
export interface CanonicalChunk {
  readonly id: string;
  readonly object: 'chat.completion.chunk';
  readonly created: number;
  readonly model: string;
  readonly choices: readonly {
    readonly index: number;
    readonly delta: CanonicalDelta;
    readonly finish_reason: string | null;
    readonly esclusa?: CanonicalExtensions;
  }[];
  readonly usage?: CanonicalUsage | null;
  readonly esclusa?: CanonicalExtensions;
}
