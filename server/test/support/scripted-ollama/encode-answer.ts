/**
 * Canonical answers as Ollama's API would give them: complete, or as the lines of a stream.
 */
import type { JsonObject, JsonValue } from '../../../src/kernel/json.ts';
import { RawJson, type WritableJson, writeJson } from '../../../src/kernel/json-source.ts';

interface Call {
  readonly id?: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

interface Said {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly Call[];
}

interface Usage {
  readonly prompt_tokens: number;
  readonly completion_tokens?: number;
}

export interface Completion {
  readonly model: string;
  readonly created?: number;
  readonly choices: readonly {
    readonly message?: Said;
    readonly text?: string;
    readonly finish_reason: string;
  }[];
  readonly usage?: Usage | null;
}

export interface Chunk {
  readonly model: string;
  readonly created?: number;
  readonly choices: readonly {
    readonly delta?: Said & { readonly tool_calls?: readonly CallPiece[] };
    readonly text?: string;
    readonly finish_reason?: string | null;
  }[];
  readonly usage?: Usage | null;
}

interface CallPiece {
  readonly index: number;
  readonly id?: string;
  readonly function?: { readonly name?: string; readonly arguments?: string };
}

type Writable = Readonly<Record<string, WritableJson | undefined>>;

export function encodeOllamaAnswer({ model, created, choices, usage }: Completion): string {
  const [choice] = choices;
  const said =
    choice?.message === undefined
      ? { response: choice?.text ?? '' }
      : { message: messageOf(choice.message) };
  const last = lastMembers(choice?.finish_reason ?? 'stop', usage);
  return writeJson({ model, created_at: timeOf(created), ...said, ...last });
}

/** Takes chunks one after the other and gives the lines that they make. */
export function createOllamaLines(): {
  take(chunk: Chunk): string[];
  end(): string;
} {
  const calls: { id?: string; name: string; arguments: string }[] = [];
  let reason = 'stop';
  let usage: Usage | null = null;
  let head: Writable = {};
  let isChat = true;
  const line = (members: Writable): string => `${writeJson({ ...head, ...members })}\n`;

  return {
    take({ model, created, choices, usage: told }) {
      head = { model, created_at: timeOf(created) };
      usage = told ?? usage;
      const lines: string[] = [];
      for (const { delta, text, finish_reason: finish } of choices) {
        isChat = delta !== undefined;
        reason = finish ?? reason;
        for (const piece of delta?.tool_calls ?? []) collect(calls, piece);
        const said = { content: delta?.content ?? '', ...thinking(delta) };
        const isEmpty = said.content === '' && said.thinking === undefined;
        if (text !== undefined && text !== '') lines.push(line({ response: text, done: false }));
        if (!isEmpty) lines.push(line({ message: { role: 'assistant', ...said }, done: false }));
        if (finish != null && calls.length > 0) {
          const message = messageOf({
            tool_calls: calls.map(({ name, arguments: text, ...id }) => ({
              ...id,
              function: { name, arguments: onOneLine(text) },
            })),
          });
          lines.push(line({ message, done: false }));
        }
      }
      return lines;
    },
    end() {
      const said = isChat ? { message: { role: 'assistant', content: '' } } : { response: '' };
      return line({ ...said, ...lastMembers(reason, usage) });
    },
  };
}

function collect(
  calls: { id?: string; name: string; arguments: string }[],
  { index, id, function: piece }: CallPiece,
): void {
  calls[index] ??= { name: '', arguments: '' };
  const call = calls[index];
  if (id !== undefined) call.id = id;
  call.name += piece?.name ?? '';
  call.arguments += piece?.arguments ?? '';
}

function messageOf(said: Said): Writable {
  const calls = said.tool_calls ?? [];
  return {
    role: 'assistant',
    content: said.content ?? '',
    ...thinking(said),
    ...(calls.length === 0
      ? {}
      : {
          tool_calls: calls.map(({ id, function: { name, arguments: text } }) => ({
            ...(id === undefined ? {} : { id }),
            function: { name, arguments: new RawJson(text === '' ? '{}' : text) },
          })),
        }),
  };
}

/** A line has no line breaks: they and the indents between tokens are left out. */
function onOneLine(json: string): string {
  return json.includes('\n') ? json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1') : json;
}

function thinking(said: Said | undefined): { thinking?: string } {
  const text = said?.reasoning_content ?? '';
  return text === '' ? {} : { thinking: text };
}

function lastMembers(reason: string, usage: Usage | null | undefined): Writable {
  return {
    done: true,
    done_reason: reason === 'length' ? 'length' : 'stop',
    total_duration: 1,
    ...(usage == null
      ? {}
      : { prompt_eval_count: usage.prompt_tokens, eval_count: usage.completion_tokens ?? 0 }),
  };
}

function timeOf(seconds: number | undefined): string {
  return new Date((seconds ?? 0) * 1000).toISOString();
}

/** `{"error":"…"}` of an error as OpenAI's wire has it. */
export function encodeOllamaError(body: JsonObject): string {
  const error = body.error as JsonValue;
  const text =
    typeof error === 'object' && error !== null ? (error as JsonObject).message : String(error);
  return JSON.stringify({ error: text });
}
