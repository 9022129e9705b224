/**
 * Canonical tools, the choice among them, and the shape of the answer, as Anthropic's.
 *
 * Structured output is asked for by the vendor's own field. Where that is not to be had (JSON
 * without a schema, older models), a tool is offered whose input is the answer and whose call
 * is forced; `answerTool` tells the decoders to take its input for the answer's text.
 */
import { isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { compact, listOf, objectOf, textOf } from '../values.ts';
import { markerOf } from './decode-blocks.ts';
import { withMarker } from './encode-parts.ts';
import type { EncodeReport } from './encode-report.ts';

export type StructuredOutput = 'native' | 'tool';

const ANSWER_TOOL = 'json_answer';
const ANY_OBJECT: JsonObject = { type: 'object', additionalProperties: true };

/** The name of the tool whose input is the answer; null where the answer is plain text. */
export function answerTool(body: JsonObject, mode: StructuredOutput): string | null {
  const format = objectOf(body.response_format);
  if (format.type === 'json_object') return ANSWER_TOOL;
  if (format.type !== 'json_schema') return null;
  const hasSchema = isJsonObject(objectOf(format.json_schema).schema);
  return hasSchema && mode === 'native' ? null : ANSWER_TOOL;
}

/** `tools`, `tool_choice` and the format of the answer, as far as each is asked for. */
export function encodeTools(
  body: JsonObject,
  mode: StructuredOutput,
  report: EncodeReport,
): { readonly members: JsonObject; readonly format: JsonObject | undefined } {
  if (body.functions != null) throw report.refuse('functions', 'Use `tools` instead.');
  const forced = answerTool(body, mode);
  const format = objectOf(body.response_format);
  const named = objectOf(format.json_schema);
  if (forced !== null) {
    return { members: answerTools(body, forced, named, report), format: undefined };
  }
  const tools = listOf(body.tools).map((tool, index) =>
    encodeTool(objectOf(tool), `tools[${index}]`, report),
  );
  const isSchema = format.type === 'json_schema';
  if (format.type !== undefined && format.type !== 'text' && !isSchema) {
    throw report.refuse('response_format', 'The provider has no such format.');
  }
  const members = tools.length === 0 ? {} : { tools, tool_choice: encodeChoice(body, report) };
  const schema = objectOf(named.schema);
  return { members, format: isSchema ? { type: 'json_schema', schema } : undefined };
}

function answerTools(
  body: JsonObject,
  name: string,
  named: JsonObject,
  report: EncodeReport,
): JsonObject {
  if (listOf(body.tools).length > 0) {
    const message = 'The provider cannot answer in this format and call tools at once.';
    throw report.refuse('response_format', message);
  }
  const description = textOf(named.description) ?? 'The answer, as an object.';
  const input_schema = isJsonObject(named.schema) ? named.schema : ANY_OBJECT;
  const tool_choice = { type: 'tool', name, disable_parallel_tool_use: true };
  return { tools: [{ name, description, input_schema }], tool_choice };
}

function encodeTool(tool: JsonObject, path: string, report: EncodeReport): JsonObject {
  if (tool.type !== 'function') {
    throw report.refuse(path, 'The provider takes tools of the type `function` alone.');
  }
  const { name, description, parameters, strict } = objectOf(tool.function);
  const schema = objectOf(parameters);
  const block = compact({
    name,
    description: textOf(description) ?? undefined,
    input_schema: schema.type === undefined ? { type: 'object', ...schema } : schema,
    strict: strict === true ? true : undefined,
  });
  return withMarker(block, markerOf(tool));
}

function encodeChoice(body: JsonObject, report: EncodeReport): JsonObject | undefined {
  const kind = choiceOf(body.tool_choice, report);
  const { parallel_tool_calls: parallel } = body;
  if (typeof parallel !== 'boolean' || kind?.type === 'none') return kind;
  if (kind === undefined && parallel) return undefined;
  return { ...(kind ?? { type: 'auto' }), disable_parallel_tool_use: !parallel };
}

function choiceOf(choice: JsonValue | undefined, report: EncodeReport): JsonObject | undefined {
  if (choice == null) return undefined;
  if (choice === 'auto' || choice === 'none') return { type: choice };
  if (choice === 'required') return { type: 'any' };
  const name = objectOf(objectOf(choice).function).name;
  if (typeof name === 'string') return { type: 'tool', name };
  throw report.refuse('tool_choice', 'The provider has no such choice.');
}
