/**
 * What must survive a round trip, in one shape for every way of writing it: a text is a text
 * whether it stands alone or as a part, a developer's instruction is one of the system.
 */
import type { JsonObject } from '../../../src/kernel/json.ts';
import type { Abilities, Reasoning } from './conversation.ts';

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
  readonly file?: { readonly file_data?: string; readonly filename?: string };
}

interface Message {
  readonly role: string;
  readonly content?: string | readonly Part[] | null;
  readonly reasoning_content?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly function: { readonly name: string; readonly arguments: string };
  }[];
  readonly tool_call_id?: string;
  readonly esclusa?: {
    readonly is_error?: boolean;
    readonly thinking_blocks?: readonly { readonly signature?: string }[];
  };
}

interface Request {
  readonly messages: readonly Message[];
  readonly tools?: readonly { readonly function: JsonObject }[];
  readonly tool_choice?: unknown;
  readonly response_format?: { readonly type: string; readonly json_schema?: JsonObject };
  readonly max_completion_tokens?: number;
  readonly max_tokens?: number;
  readonly temperature?: number;
  readonly stop?: string | readonly string[];
  readonly seed?: number;
  readonly esclusa?: { readonly top_k?: number };
}

export function viewRequest(body: JsonObject, can: Abilities) {
  const request = body as unknown as Request;
  const { stop, response_format: format } = request;
  return {
    messages: request.messages.map((message) => viewMessage(message, can)),
    tools: (request.tools ?? []).map(({ function: described }) => described),
    choice: choiceOf(request),
    format: format === undefined ? 'text' : (format.json_schema?.schema ?? format.type),
    limit: request.max_completion_tokens ?? request.max_tokens,
    temperature: request.temperature,
    stop: typeof stop === 'string' ? [stop] : stop,
    seed: request.seed,
    topK: request.esclusa?.top_k,
  };
}

/** To demand a call where there is one tool is to demand that tool. */
function choiceOf({ tool_choice: choice = 'auto', tools = [] }: Request): unknown {
  if (choice !== 'required' || tools.length !== 1) return choice;
  return { type: 'function', function: { name: tools[0]?.function.name } };
}

function viewMessage(message: Message, can: Abilities) {
  const { role, content, tool_call_id: answers } = message;
  const parts: readonly Part[] =
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []);
  const kept = parts.filter(({ type, text }) => type !== 'text' || text !== '').map(viewPart);
  const isText = ({ text }: { text?: string | undefined }) => text !== undefined;
  return {
    role: role === 'developer' ? 'system' : role,
    parts: can.order ? kept : [...kept.filter(isText), ...kept.filter((part) => !isText(part))],
    calls: callsOf(message, can.lines),
    answers,
    failed: message.esclusa?.is_error === true,
    ...thoughtOf(message, can.reasoning),
  };
}

function viewPart({ text, image_url: image, file }: Part) {
  return { text, image: image?.url, file: file?.file_data, filename: file?.filename };
}

function callsOf({ tool_calls: calls = [] }: Message, lines: boolean) {
  return calls.map(({ id, function: { name, arguments: args } }) => ({
    id,
    name,
    args: lines ? args : onOneLine(args),
  }));
}

/** Without white space between tokens; everything else as it was written. */
function onOneLine(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}

function thoughtOf({ reasoning_content: thought, esclusa }: Message, forms: readonly Reasoning[]) {
  const blocks = esclusa?.thinking_blocks ?? [];
  const signatures = blocks.flatMap(({ signature }) => signature ?? []);
  return {
    thought: forms.length === 0 ? undefined : thought,
    signatures: forms.includes('signed') ? signatures : [],
  };
}

/** `lines`: line breaks within arguments are kept on the way. */
export function viewAnswer(body: JsonObject, can: Abilities, lines = can.lines) {
  const { choices, usage } = body as unknown as {
    choices: readonly { message: Message; finish_reason: string }[];
    usage?: {
      prompt_tokens: number;
      completion_tokens: number;
      prompt_tokens_details?: { cached_tokens?: number };
      completion_tokens_details?: { reasoning_tokens?: number };
    };
  };
  const [choice] = choices;
  const message = choice?.message as Message;
  return {
    text: typeof message.content === 'string' ? message.content : '',
    calls: callsOf(message, lines),
    ...thoughtOf(message, can.answerReasoning),
    finish: choice?.finish_reason,
    input: usage?.prompt_tokens,
    output: usage?.completion_tokens,
    cached: can.usageDetails ? (usage?.prompt_tokens_details?.cached_tokens ?? 0) : 0,
    thinking: can.usageDetails ? (usage?.completion_tokens_details?.reasoning_tokens ?? 0) : 0,
  };
}
