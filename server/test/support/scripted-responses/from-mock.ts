/**
 * The mock's answers said in the words of the Responses API: whole responses, and the numbered
 * events of a stream. Shapes follow OpenAI's API document; a test holds them against it.
 */
import type { Json } from '../scripted-wire.ts';

export function responseFor(body: Json, asked: Json): Json {
  const [{ message, finish_reason: finish }] = body.choices;
  const output: Json[] = [];
  if (message.content) output.push(messageItem(itemId('msg', body, 0), message.content));
  for (const call of message.tool_calls ?? []) {
    output.push(callItem(itemId('fc', body, output.length), call.id, call.function));
  }
  return ended(responseOf(body, asked), { output, finish, usage: body.usage });
}

/** Writes one event after the other, whose numbers rise by one. */
export class EventWriter {
  readonly #asked: Json;
  readonly #output: Json[] = [];
  #number = 0;
  #response: Json = null;
  #open: Json = null;
  #finish = 'stop';
  #usage: Json = null;

  constructor(asked: Json) {
    this.#asked = asked;
  }

  /** The events for one chunk of the mock. */
  take(chunk: Json): string {
    let out = this.#start(chunk);
    this.#usage = chunk.usage ?? this.#usage;
    const [choice] = chunk.choices;
    if (choice === undefined) return out;
    if (choice.delta.content) {
      if (this.#open?.type !== 'message') out += this.#openText();
      out += this.#delta('output_text', choice.delta.content, { content_index: 0, logprobs: [] });
      this.#open.content[0].text += choice.delta.content;
    }
    for (const { id, function: piece } of choice.delta.tool_calls ?? []) {
      if (id) out += this.#openItem(callItem(this.#id('fc'), id, { ...piece, arguments: '' }));
      if (!piece.arguments) continue;
      out += this.#delta('function_call_arguments', piece.arguments, {});
      this.#open.arguments += piece.arguments;
    }
    this.#finish = choice.finish_reason ?? this.#finish;
    return out;
  }

  end(): string {
    const closed = this.#close();
    const response = ended(this.#response, {
      ...{ output: this.#output, finish: this.#finish },
      usage: this.#usage ?? { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
    });
    return closed + this.#event(`response.${response.status}`, { response });
  }

  error({ code = null, message = 'It failed.' }: Json): string {
    return this.#event('error', { code, message, param: null });
  }

  #start(chunk: Json): string {
    if (this.#response !== null) return '';
    this.#response = responseOf(chunk, this.#asked);
    const response = this.#response;
    return (
      this.#event('response.created', { response }) +
      this.#event('response.in_progress', { response })
    );
  }

  #openText(): string {
    const item = { ...messageItem(this.#id('msg'), ''), status: 'in_progress', content: [] };
    const opened = this.#openItem(item);
    const [part] = messageItem('', '').content;
    this.#open.content = [part];
    return opened + this.#event('response.content_part.added', { ...this.#place(), part });
  }

  #openItem(item: Json): string {
    const closed = this.#close();
    this.#open = structuredClone(item);
    const at = { output_index: this.#output.length, item: { ...item, status: 'in_progress' } };
    return closed + this.#event('response.output_item.added', at);
  }

  #delta(kind: string, delta: string, more: Json): string {
    const { id: item_id } = this.#open;
    const at = { item_id, output_index: this.#output.length };
    return this.#event(`response.${kind}.delta`, { ...at, ...more, delta });
  }

  #close(): string {
    if (this.#open === null) return '';
    const item = { ...this.#open, status: 'completed' };
    let out = '';
    if (item.type === 'message') {
      const [part] = item.content;
      const done = { ...this.#place(), text: part.text, logprobs: [] };
      out += this.#event('response.output_text.done', done);
      out += this.#event('response.content_part.done', { ...this.#place(), part });
    } else {
      const { id: item_id, name, arguments: written } = item;
      const at = { item_id, output_index: this.#output.length, name, arguments: written };
      out += this.#event('response.function_call_arguments.done', at);
    }
    out += this.#event('response.output_item.done', { output_index: this.#output.length, item });
    this.#output.push(item);
    this.#open = null;
    return out;
  }

  #place(): Json {
    return { item_id: this.#open.id, output_index: this.#output.length, content_index: 0 };
  }

  #id(prefix: string): string {
    return itemId(prefix, this.#response, this.#output.length + (this.#open === null ? 0 : 1));
  }

  #event(type: string, members: Json): string {
    const sequence_number = this.#number++;
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number, ...members })}\n\n`;
  }
}

function itemId(prefix: string, { id }: Json, at: number): string {
  return `${prefix}_${String(id).replace(/^\w+[-_]/, '')}_${at}`;
}

function messageItem(id: string, text: string): Json {
  const content = [{ type: 'output_text', text, annotations: [], logprobs: [] }];
  return { id, type: 'message', status: 'completed', role: 'assistant', content };
}

function callItem(id: string, call_id: string, { name, arguments: written }: Json): Json {
  return { id, type: 'function_call', status: 'completed', call_id, name, arguments: written };
}

function responseOf({ id, created, model }: Json, asked: Json): Json {
  return {
    ...{ id: `resp_${id}`, object: 'response', created_at: created, status: 'in_progress' },
    ...{ error: null, incomplete_details: null, instructions: asked.instructions ?? null },
    ...{ max_output_tokens: asked.max_output_tokens ?? null, model, output: [], store: false },
    ...{ parallel_tool_calls: asked.parallel_tool_calls ?? true, previous_response_id: null },
    ...{ reasoning: { effort: null, summary: null }, temperature: 1, top_p: 1 },
    ...{ text: asked.text ?? { format: { type: 'text' } }, truncation: 'disabled' },
    ...{ tool_choice: asked.tool_choice ?? 'auto', tools: asked.tools ?? [] },
    metadata: asked.metadata ?? {},
  };
}

interface Ending {
  readonly output: Json[];
  readonly finish: string;
  readonly usage: Json;
}

function ended(response: Json, { output, finish, usage }: Ending): Json {
  const reasons: Json = { length: 'max_output_tokens', content_filter: 'content_filter' };
  const reason = reasons[finish];
  return {
    ...{ ...response, output },
    status: reason === undefined ? 'completed' : 'incomplete',
    incomplete_details: reason === undefined ? null : { reason },
    usage: {
      input_tokens: usage.prompt_tokens,
      input_tokens_details: { cached_tokens: 0, cache_write_tokens: 0 },
      output_tokens: usage.completion_tokens,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: usage.total_tokens,
    },
  };
}
