/**
 * The mock's answers said in Anthropic's words: messages, events, errors. Where a request asks
 * for thoughts, a signed one and a hidden one come first.
 */
import type { Json } from '../scripted-wire.ts';
import { signatureOf } from './check-request.ts';

const THOUGHT = 'Let me think about it: “hello” is a greeting.';
const HIDDEN_THOUGHT = 'EmwKAhgBEgyhidden';

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
};

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

export function errorText(status: number, body: Json): string {
  const { message = 'Something failed.', code = null } = body?.error ?? {};
  const isSpent = code === 'insufficient_quota';
  return JSON.stringify({
    type: 'error',
    error: {
      type: ERROR_TYPES[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error'),
      message,
      ...(isSpent ? { details: { error_code: 'enforced_spend_limit_reached' } } : {}),
      ...(/^thread_/.test(code ?? '') ? { details: { error_code: code } } : {}),
    },
    request_id: 'req_upstream',
  });
}

export function messageText(body: Json, thinks: boolean): string {
  const [choice] = body.choices;
  const content: Json[] = thinks ? thoughtBlocks() : [];
  if (choice.message.content) {
    content.push({ type: 'text', text: choice.message.content, citations: null });
  }
  for (const { id, function: called } of choice.message.tool_calls ?? []) {
    content.push({
      type: 'tool_use',
      id: toolId(id),
      name: called.name,
      input: JSON.parse(called.arguments),
    });
  }
  return JSON.stringify({
    ...messageOf(body),
    content,
    stop_reason: STOP_REASONS[choice.finish_reason],
    usage: usageOf(body.usage, thinks),
  });
}

/** The ids of a vendor's calls look like the vendor's. */
function toolId(id: string): string {
  return `toolu_${id}`;
}

function thoughtBlocks(): Json[] {
  return [
    { type: 'thinking', thinking: THOUGHT, signature: signatureOf(THOUGHT) },
    { type: 'redacted_thinking', data: HIDDEN_THOUGHT },
  ];
}

function messageOf(body: Json): Json {
  return {
    id: `msg_${body.id}`,
    type: 'message',
    role: 'assistant',
    model: body.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    container: null,
    diagnostics: null,
  };
}

/** Two tokens of the input count as read from the prompt cache, one as written to it. */
function usageOf(usage: Json, thinks: boolean): Json {
  const { prompt_tokens: input, completion_tokens: output } = usage;
  return {
    input_tokens: input - 3,
    cache_read_input_tokens: 2,
    cache_creation_input_tokens: 1,
    output_tokens: output,
    output_tokens_details: thinks ? { thinking_tokens: 1 } : null,
    server_tool_use: null,
  };
}

export class EventWriter {
  readonly #thinks: boolean;
  #blocks = 0;
  #open: string | null = null;
  #started = false;
  #reason = 'end_turn';
  #usage: Json = null;

  constructor(thinks: boolean) {
    this.#thinks = thinks;
  }

  /** The events for one chunk of the mock. */
  take(chunk: Json): string {
    let out = this.#start(chunk);
    this.#usage = chunk.usage ?? this.#usage;
    const [choice] = chunk.choices;
    if (choice === undefined) return out;
    if (choice.delta.content) {
      if (this.#open !== 'text') out += this.#openBlock('text', { type: 'text', text: '' });
      out += this.#delta({ type: 'text_delta', text: choice.delta.content });
    }
    for (const call of choice.delta.tool_calls ?? []) out += this.#call(call);
    if (choice.finish_reason) this.#reason = STOP_REASONS[choice.finish_reason] ?? 'end_turn';
    return out;
  }

  end(): string {
    const usage = usageOf(this.#usage ?? { prompt_tokens: 3, completion_tokens: 0 }, this.#thinks);
    const delta = { stop_reason: this.#reason, stop_sequence: null, stop_details: null };
    const closed = this.#close();
    return (
      closed + event({ type: 'message_delta', delta, usage }) + event({ type: 'message_stop' })
    );
  }

  #call(call: Json): string {
    const {
      id,
      function: { name, arguments: written },
    } = call;
    let out = '';
    if (id) {
      const block = { type: 'tool_use', id: toolId(id), name, input: {} };
      out += this.#openBlock(`tool ${call.index}`, block) + this.#json('');
    }
    return out + this.#json(written ?? '');
  }

  #json(partial_json: string): string {
    return this.#delta({ type: 'input_json_delta', partial_json });
  }

  #start(chunk: Json): string {
    if (this.#started) return '';
    this.#started = true;
    const usage = { ...usageOf({ prompt_tokens: 9, completion_tokens: 1 }, false), speed: null };
    let out = event({ type: 'message_start', message: { ...messageOf(chunk), usage } });
    out += event({ type: 'ping' });
    if (!this.#thinks) return out;
    out += this.#openBlock('thinking', { type: 'thinking', thinking: '', signature: '' });
    for (const thinking of [THOUGHT.slice(0, 20), THOUGHT.slice(20)]) {
      out += this.#delta({ type: 'thinking_delta', thinking });
    }
    out += this.#delta({ type: 'signature_delta', signature: signatureOf(THOUGHT) });
    return out + this.#openBlock('hidden', { type: 'redacted_thinking', data: HIDDEN_THOUGHT });
  }

  #openBlock(kind: string, content_block: Json): string {
    const closed = this.#close();
    this.#open = kind;
    this.#blocks += 1;
    return closed + event({ type: 'content_block_start', index: this.#blocks - 1, content_block });
  }

  #delta(delta: Json): string {
    return event({ type: 'content_block_delta', index: this.#blocks - 1, delta });
  }

  #close(): string {
    if (this.#open === null) return '';
    this.#open = null;
    return event({ type: 'content_block_stop', index: this.#blocks - 1 });
  }
}

export function event(data: Json): string {
  return `event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`;
}
