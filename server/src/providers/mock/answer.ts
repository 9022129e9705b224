/**
 * Decides what the mock answers, whatever form the answer is then sent in: text, reasoning,
 * tool calls, why each choice ends, and the usage.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { RequestFacts } from '../../wire/openai/read-request.ts';
import { type Conversation, readConversation } from './conversation.ts';
import type { MockModel } from './model-script.ts';
import { composeProse, composeThought } from './prose.ts';
import { schemaInstance } from './schema-instance.ts';
import { CHARACTERS_PER_TOKEN, countTokens, cutText } from './tokens.ts';
import { chooseToolCalls, type ToolCall } from './tool-calls.ts';

export interface MockChoice {
  readonly reasoning: string;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly finish: string;
}

export interface MockUsage {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

export interface MockAnswer {
  readonly choices: readonly MockChoice[];
  readonly usage: MockUsage;
}

const REASONING_MODEL = /reason/i;

export function answerChat(model: MockModel, facts: RequestFacts, body: JsonObject): MockAnswer {
  const conversation = readConversation(body);
  const calls = callsFor(model, body, conversation);
  const reasoning = REASONING_MODEL.test(model.base) ? composeThought(conversation.text) : '';
  const choices = Array.from({ length: facts.choices }, (_, variant) => {
    const text = calls.length > 0 ? '' : chatText(model, body, conversation, variant);
    return limited({ reasoning, text, calls, finish: 'stop' }, body, facts.maxOutputTokens, model);
  });
  return { choices, usage: usageOf(conversation.promptTokens, choices) };
}

/** Results are answered in words; where calls are serial, only when every tool has been called. */
function callsFor(
  { script }: MockModel,
  body: JsonObject,
  { text, results }: Conversation,
): readonly ToolCall[] {
  if (!script.serialCalls) return results.length > 0 ? [] : chooseToolCalls(body, text);
  const called = results.map(({ name }) => name);
  return chooseToolCalls(body, text, called).slice(0, 1);
}

/** Legacy completions: one choice per prompt and `n`, prompt by prompt. */
export function answerCompletion(
  model: MockModel,
  facts: RequestFacts,
  body: JsonObject,
): MockAnswer {
  const prompts = promptTexts(body.prompt);
  const perPrompt = typeof body.n === 'number' ? body.n : 1;
  const choices = prompts.flatMap((prompt) =>
    Array.from({ length: perPrompt }, (_, variant) => {
      const { tokens } = model.script;
      const said = composeProse({ text: prompt, images: 0, results: [], variant, tokens });
      const text = body.echo === true ? `${prompt}${said}` : said;
      const choice = { reasoning: '', text, calls: [], finish: 'stop' };
      return limited(choice, body, facts.maxOutputTokens, model);
    }),
  );
  const promptTokens = prompts.reduce((sum, prompt) => sum + countTokens(prompt), 0);
  return { choices, usage: usageOf(promptTokens, choices) };
}

function chatText(
  model: MockModel,
  body: JsonObject,
  { text, images, results }: Conversation,
  variant: number,
): string {
  const format = isJsonObject(body.response_format) ? body.response_format : {};
  if (format.type === 'json_schema' && isJsonObject(format.json_schema)) {
    return JSON.stringify(schemaInstance(format.json_schema.schema, null));
  }
  const prose = composeProse({ text, images, results, variant, tokens: model.script.tokens });
  return format.type === 'json_object' ? JSON.stringify({ answer: prose }) : prose;
}

/** Ends a choice at a stop sequence, then at the limit of tokens, as providers do. */
function limited(
  choice: MockChoice,
  body: JsonObject,
  maxTokens: number | null,
  { script }: MockModel,
): MockChoice {
  let left = (maxTokens ?? Number.POSITIVE_INFINITY) * CHARACTERS_PER_TOKEN;
  let finish = choice.calls.length > 0 ? 'tool_calls' : choice.finish;
  const take = (text: string): string => {
    if (text.length > left) finish = 'length';
    const taken = cutText(text, left);
    left -= taken.length;
    return taken;
  };
  const reasoning = take(choice.reasoning);
  const text = take(beforeStop(choice.text, body.stop));
  const calls: ToolCall[] = [];
  for (const call of choice.calls) {
    if (left > 0) calls.push({ name: call.name, argumentsText: take(call.argumentsText) });
  }
  if (calls.length < choice.calls.length) finish = 'length';
  return { reasoning, text, calls, finish: script.finish ?? finish };
}

function beforeStop(text: string, stop: JsonValue | undefined): string {
  const sequences = (isJsonArray(stop) ? stop : [stop]).filter(
    (sequence) => typeof sequence === 'string' && sequence !== '',
  );
  const ends = sequences.map((sequence) => text.indexOf(String(sequence))).filter((at) => at >= 0);
  return text.slice(0, Math.min(text.length, ...ends));
}

function promptTexts(prompt: JsonValue | undefined): string[] {
  if (typeof prompt === 'string') return [prompt];
  if (!isJsonArray(prompt)) return [''];
  if (typeof prompt[0] === 'number') return [prompt.join(' ')];
  return prompt.map((item) => (isJsonArray(item) ? item.join(' ') : String(item)));
}

function usageOf(promptTokens: number, choices: readonly MockChoice[]): MockUsage {
  let completionTokens = 0;
  let reasoningTokens = 0;
  for (const { reasoning, text, calls } of choices) {
    reasoningTokens += countTokens(reasoning);
    completionTokens += countTokens(reasoning) + countTokens(text);
    for (const call of calls) completionTokens += countTokens(call.name + call.argumentsText);
  }
  return { promptTokens, completionTokens, reasoningTokens };
}
