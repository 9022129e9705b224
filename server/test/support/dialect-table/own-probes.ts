/**
 * What only one dialect can say, asked of its own reader: the canonical form has no place for
 * it, so that it reaches providers of that dialect alone.
 */
import type { JsonObject } from '../../../src/kernel/json.ts';
import { CLIENTS } from '../round-trip/wires.ts';

export interface OwnRow {
  readonly dialect: string;
  readonly title: string;
  readonly outcome: 'refused' | 'left out' | 'translated';
}

interface OwnProbe {
  readonly dialect: string;
  readonly title: string;
  readonly body: object;
}

const ASK = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] };
const CONTENTS = { contents: [{ role: 'user', parts: [{ text: 'Hi' }] }] };

const anthropic = (title: string, body: object): OwnProbe => ({
  dialect: 'anthropic',
  title,
  body: { ...ASK, ...body },
});
const block = (title: string, content: object): OwnProbe =>
  anthropic(title, { messages: [{ role: 'user', content: [content] }] });
const gemini = (title: string, body: object): OwnProbe => ({
  dialect: 'gemini',
  title,
  body: { ...CONTENTS, ...body },
});
const part = (title: string, content: object): OwnProbe =>
  gemini(title, { contents: [{ role: 'user', parts: [content] }] });

const responses = (title: string, body: object): OwnProbe => ({
  dialect: 'responses',
  title,
  body: { model: 'm', input: 'Hi', ...body },
});
const item = (title: string, more: object): OwnProbe =>
  responses(title, { input: [{ role: 'user', content: 'Hi' }, more] });

const PROBES: readonly OwnProbe[] = [
  anthropic('tools that Anthropic runs (`web_search_…`)', {
    tools: [{ type: 'web_search_20250305', name: 'web_search' }],
  }),
  anthropic('`mcp_servers`', { mcp_servers: [{ type: 'url', url: 'https://a.b', name: 'a' }] }),
  anthropic('`container`', { container: 'c' }),
  anthropic('`inference_geo`', { inference_geo: 'us' }),
  block('a file stored at Anthropic', {
    type: 'document',
    source: { type: 'file', file_id: 'file_1' },
  }),
  block('results of a search (`search_result`)', {
    type: 'search_result',
    source: 'https://a.b',
    title: 'a',
    content: [{ type: 'text', text: 'a' }],
  }),
  block('citations asked of a document', {
    type: 'document',
    source: { type: 'text', media_type: 'text/plain', data: 'a' },
    citations: { enabled: true },
  }),
  anthropic('`context_management`', { context_management: { edits: [] } }),
  anthropic('`speed`', { speed: 'fast' }),
  anthropic('fields that nobody knows yet', { a_later_field: 1 }),
  gemini('tools that Google runs (`googleSearch`, `codeExecution`)', {
    tools: [{ googleSearch: {} }],
  }),
  gemini('`cachedContent`', { cachedContent: 'cachedContents/1' }),
  gemini('images or sound as an answer (`responseModalities`)', {
    generationConfig: { responseModalities: ['TEXT', 'IMAGE'] },
  }),
  part('a file stored at Google', {
    fileData: {
      fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/1',
      mimeType: 'application/pdf',
    },
  }),
  part('video', { inlineData: { mimeType: 'video/mp4', data: 'AAAA' } }),
  gemini('`safetySettings`', {
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
  }),
  gemini('`mediaResolution` and other settings of one vendor', {
    generationConfig: { mediaResolution: 'MEDIA_RESOLUTION_LOW' },
  }),
  gemini('fields that nobody knows yet', { aLaterField: 1 }),
  responses('tools that OpenAI runs (`web_search`, `mcp`, …), and custom ones', {
    tools: [{ type: 'web_search' }],
  }),
  item('their calls (`web_search_call`, …)', { type: 'web_search_call', id: 'ws_1' }),
  item('an item by its id alone (`item_reference`)', { type: 'item_reference', id: 'msg_1' }),
  item('reasoning that OpenAI encrypted', {
    ...{ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAA' },
  }),
  item('an image stored at OpenAI', {
    role: 'user',
    content: [{ type: 'input_image', file_id: 'file_1' }],
  }),
  responses('`background`', { background: true }),
  responses('`conversation`', { conversation: 'conv_1' }),
  responses('`prompt`', { prompt: { id: 'pmpt_1' } }),
  responses('`truncation`', { truncation: 'auto' }),
  responses('`top_logprobs`', { top_logprobs: 2 }),
  responses('`max_tool_calls`', { max_tool_calls: 3 }),
  responses('fields that nobody knows yet', { a_later_field: 1 }),
];

export function ownRows(): OwnRow[] {
  return PROBES.map(({ dialect, title, body }) => {
    const wire = CLIENTS.find(({ name }) => name === dialect);
    if (wire === undefined) throw new Error(`no wire is called ${dialect}`);
    const read = wire.readRequest({
      method: 'POST',
      path: '/v1beta/models/m:generateContent',
      headers: {},
      body: Buffer.from(JSON.stringify(body as JsonObject)),
    });
    const { needed = [], dropped = [] } = read.foreign ?? {};
    const outcome = needed.length > 0 ? 'refused' : dropped.length > 0 ? 'left out' : 'translated';
    return { dialect, title, outcome };
  });
}
