/**
 * Refuses what Anthropic's API refuses: unknown fields, empty texts, results without calls,
 * thoughts that were changed. So a translation that lets something slip fails its test. Written
 * from the types of `@anthropic-ai/sdk` 0.100.1 and 1.10.0, apart from the code under test.
 */
import { createHash } from 'node:crypto';
import type { Json } from '../scripted-wire.ts';

const FIELDS = new Set([
  ...['cache_control', 'container', 'diagnostics', 'inference_geo', 'max_tokens', 'messages'],
  ...['metadata', 'model', 'output_config', 'service_tier', 'speed', 'stop_sequences', 'stream'],
  ...['system', 'temperature', 'thinking', 'tool_choice', 'tools', 'top_k', 'top_p'],
]);
const COUNT_FIELDS = new Set([
  ...['cache_control', 'messages', 'model', 'output_config', 'speed', 'system', 'thinking'],
  ...['tool_choice', 'tools'],
]);
const BLOCK_FIELDS: Readonly<Record<string, readonly string[]>> = {
  text: ['type', 'text', 'cache_control', 'citations'],
  image: ['type', 'source', 'cache_control'],
  document: ['type', 'source', 'cache_control', 'citations', 'context', 'title'],
  thinking: ['type', 'thinking', 'signature'],
  redacted_thinking: ['type', 'data'],
  tool_use: ['type', 'id', 'name', 'input', 'cache_control', 'caller'],
  tool_result: ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'],
};
const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);

/** As the vendor signs a thought; what comes back must fit its signature. */
export function signatureOf(thinking: string): string {
  return `sig_${createHash('sha256').update(thinking).digest('hex').slice(0, 24)}`;
}

/** The vendor's complaint, or null. */
export function checkRequest(body: Json, operation: 'messages' | 'count_tokens'): string | null {
  const fields = operation === 'messages' ? FIELDS : COUNT_FIELDS;
  for (const name of Object.keys(body)) {
    if (!fields.has(name)) return `${name}: Extra inputs are not permitted`;
  }
  if (operation === 'messages' && !(Number.isInteger(body.max_tokens) && body.max_tokens >= 1)) {
    return 'max_tokens: Field required';
  }
  if (!Array.isArray(body.messages) || body.messages.length === 0)
    return 'messages: Field required';
  const budget = body.thinking?.budget_tokens;
  if (budget !== undefined && (budget < 1024 || budget >= body.max_tokens)) {
    return 'max_tokens must be greater than thinking.budget_tokens, which is at least 1024';
  }
  if (body.temperature > 1) return 'temperature: range: 0..1';
  return checkTools(body) ?? checkSystem(body.system) ?? checkConversation(body.messages);
}

function checkSystem(system: Json): string | null {
  if (system === undefined || typeof system === 'string') return null;
  return checkBlocks('system', system, ['text']);
}

function checkTools({ tools, tool_choice: choice }: Json): string | null {
  for (const [i, tool] of (tools ?? []).entries()) {
    const known = ['name', 'description', 'input_schema', 'strict', 'cache_control', 'type'];
    const other = Object.keys(tool).find((name) => !known.includes(name));
    if (other !== undefined) return `tools.${i}.${other}: Extra inputs are not permitted`;
    if (tool.input_schema?.type !== 'object') return `tools.${i}.input_schema.type: Field required`;
  }
  if (choice === undefined) return null;
  if (tools === undefined) return 'tool_choice: may only be specified while providing tools';
  if (!['auto', 'any', 'none', 'tool'].includes(choice.type)) return 'tool_choice.type: unknown';
  if (choice.type === 'none' && 'disable_parallel_tool_use' in choice) {
    return 'tool_choice.none.disable_parallel_tool_use: Extra inputs are not permitted';
  }
  return null;
}

function checkConversation(messages: Json[]): string | null {
  let open: string[] = [];
  for (const [i, message] of messages.entries()) {
    const extra = Object.keys(message).find((name) => name !== 'role' && name !== 'content');
    if (extra !== undefined) return `messages.${i}.${extra}: Extra inputs are not permitted`;
    if (message.role !== 'user' && message.role !== 'assistant') {
      return `messages.${i}.role: Input should be 'user' or 'assistant'`;
    }
    const { content } = message;
    if (content === '' || content.length === 0) {
      return `messages.${i}: all messages must have non-empty content`;
    }
    const blocks = typeof content === 'string' ? [] : content;
    const ids = blocks
      .filter((b: Json) => b.type === 'tool_result')
      .map((b: Json) => b.tool_use_id);
    const missing = open.find((id) => !ids.includes(id));
    if (missing !== undefined) return `messages.${i}: tool_use without tool_result: ${missing}`;
    const unasked = ids.find((id: string) => !open.includes(id));
    if (unasked !== undefined) return `messages.${i}: tool_result without tool_use: ${unasked}`;
    const isUser = message.role === 'user';
    const known = isUser
      ? ['text', 'image', 'document', 'tool_result']
      : ['text', 'thinking', 'redacted_thinking', 'tool_use'];
    const problem = checkBlocks(`messages.${i}.content`, blocks, known);
    if (problem !== null) return problem;
    open = blocks.filter((b: Json) => b.type === 'tool_use').map((b: Json) => b.id);
  }
  return null;
}

function checkBlocks(path: string, blocks: Json[], known: readonly string[]): string | null {
  for (const [i, block] of blocks.entries()) {
    const place = `${path}.${i}`;
    if (!known.includes(block.type)) return `${place}: unexpected type ${block.type}`;
    const fields = BLOCK_FIELDS[block.type] ?? [];
    const extra = Object.keys(block).find((name) => !fields.includes(name));
    if (extra !== undefined) return `${place}.${extra}: Extra inputs are not permitted`;
    const problem = checkBlock(place, block);
    if (problem !== null) return problem;
  }
  return null;
}

function checkBlock(place: string, block: Json): string | null {
  switch (block.type) {
    case 'text':
      return block.text === '' ? `${place}: text content blocks must be non-empty` : null;
    case 'image':
      return checkSource(place, block.source, IMAGE_TYPES);
    case 'document':
      return checkSource(place, block.source, new Set(['application/pdf', 'text/plain']));
    case 'thinking':
      return block.signature === signatureOf(block.thinking)
        ? null
        : `${place}: Invalid \`signature\` in \`thinking\` block`;
    case 'tool_use':
      return isObject(block.input) ? null : `${place}.input: Input should be an object`;
    case 'tool_result':
      if (typeof block.content === 'string' || block.content === undefined) return null;
      return checkBlocks(`${place}.content`, block.content, ['text', 'image', 'document']);
    default:
      return null;
  }
}

function checkSource(place: string, source: Json, types: ReadonlySet<string>): string | null {
  const { type } = source;
  if (type === 'url') return /^https:\/\//.test(source.url) ? null : `${place}.source.url: bad`;
  if (type === 'text') return source.media_type === 'text/plain' ? null : `${place}.source: bad`;
  if (type !== 'base64') return `${place}.source.type: unknown`;
  if (!types.has(source.media_type)) return `${place}.source.media_type: ${source.media_type}`;
  return /^[A-Za-z0-9+/]+=*$/.test(source.data) ? null : `${place}.source.data: not base64`;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
