/**
 * Refuses what Google's API refuses: unknown names, empty contents, results that do not fit the
 * calls before them, signatures that were changed. So a translation that lets something slip
 * fails its test. Written from the types of `@google/genai` 2.32.0 and 3.1.0, apart from the
 * code under test.
 */
import { createHash } from 'node:crypto';
import type { Json } from '../scripted-wire.ts';

const BODY = new Set([
  ...['contents', 'systemInstruction', 'tools', 'toolConfig', 'safetySettings', 'labels'],
  ...['generationConfig', 'cachedContent', 'serviceTier', 'store', 'continuationToken', 'model'],
]);
const CONFIG = new Set([
  ...['temperature', 'topP', 'topK', 'candidateCount', 'maxOutputTokens', 'stopSequences'],
  ...['responseLogprobs', 'logprobs', 'presencePenalty', 'frequencyPenalty', 'seed'],
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema', 'responseModalities'],
  ...['mediaResolution', 'speechConfig', 'thinkingConfig', 'imageConfig'],
]);
const PARTS: Readonly<Record<string, readonly string[]>> = {
  text: ['text', 'thought', 'thoughtSignature'],
  inlineData: ['inlineData', 'mediaResolution', 'thoughtSignature'],
  fileData: ['fileData', 'mediaResolution', 'videoMetadata'],
  functionCall: ['functionCall', 'thoughtSignature'],
  functionResponse: ['functionResponse'],
  executableCode: ['executableCode'],
  codeExecutionResult: ['codeExecutionResult'],
};
const DECLARATION = new Set(['name', 'description', 'parameters', 'parametersJsonSchema']);
const TYPES = new Set(['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT', 'NULL']);
const MODES = new Set(['AUTO', 'ANY', 'NONE', 'VALIDATED']);

/** As the vendor signs a call; what comes back must fit its signature. */
export function signatureOf(name: string, args: Json): string {
  return createHash('sha256')
    .update(`${name} ${JSON.stringify(args)}`)
    .digest('base64');
}

/** Says that there is no signature to be had. */
const NO_SIGNATURE = 'skip_thought_signature_validator';

/** Newer models refuse a step whose first call is not signed; steps of earlier turns are over. */
export function checkSigned({ contents }: Json): string | null {
  const turn = contents.findLastIndex(({ role, parts }: Json) => {
    return role !== 'model' && parts.some((part: Json) => part.functionResponse === undefined);
  });
  return first(contents.slice(turn + 1), ({ parts }) => {
    const call = parts.find((part: Json) => part.functionCall !== undefined);
    if (call === undefined || call.thoughtSignature !== undefined) return null;
    return 'Function call is missing a thought_signature in functionCall parts.';
  });
}

/** The vendor's complaint, or null. */
export function checkGenerate(body: Json): string | null {
  const { contents, generationConfig: config = {}, tools = [], systemInstruction } = body;
  if (!Array.isArray(contents) || contents.length === 0) return 'contents is not specified';
  const { thinkingConfig: thinking = {}, responseMimeType: mime } = config;
  if ((config.responseSchema || config.responseJsonSchema) && mime !== 'application/json') {
    return 'response_schema is allowed only for application/json';
  }
  if (thinking.thinkingBudget !== undefined && thinking.thinkingLevel !== undefined) {
    return 'You can only set only one of thinking budget and thinking level.';
  }
  return (
    unknownName('', body, BODY) ??
    unknownName('generation_config.', config, CONFIG) ??
    first(tools, checkTool) ??
    checkToolConfig(body) ??
    (systemInstruction === undefined ? null : checkContent(systemInstruction, 'system')) ??
    checkConversation(contents)
  );
}

export function checkCount(body: Json): string | null {
  const inner = body.generateContentRequest;
  if (inner === undefined) return unknownName('', body, new Set(['contents', 'model']));
  if (!String(inner.model).startsWith('models/')) return 'model is not specified';
  return unknownName('', body, new Set(['generateContentRequest'])) ?? checkGenerate(inner);
}

const EMBED = new Set(['model', 'content', 'taskType', 'title', 'outputDimensionality']);

/** A request of a batch names its model, which must be that of the path. */
export function checkEmbed(request: Json, model: string | null): string | null {
  if (model !== null && request.model !== `models/${model}`) {
    return `model must be models/${model}, was ${request.model}`;
  }
  return unknownName('', request, EMBED) ?? checkContent(request.content, 'user');
}

function checkTool(tool: Json): string | null {
  const known = new Set(['functionDeclarations', 'googleSearch', 'codeExecution', 'urlContext']);
  return (
    unknownName('tools.', tool, known) ??
    first(tool.functionDeclarations ?? [], (declaration: Json) => {
      const { name, parameters, parametersJsonSchema } = declaration;
      if (!/^[A-Za-z_][\w.:-]{0,127}$/.test(name)) return `Invalid function name ${name}`;
      if (parameters && parametersJsonSchema) return 'parameters and parameters_json_schema';
      const problem = unknownName('function_declarations.', declaration, DECLARATION);
      return problem ?? (parameters === undefined ? null : checkSchema(parameters));
    })
  );
}

function checkSchema(schema: Json): string | null {
  if (schema.type !== undefined && !TYPES.has(schema.type)) return `Invalid type ${schema.type}`;
  return first(Object.values(schema.properties ?? {}), checkSchema);
}

function checkToolConfig({ toolConfig, tools = [] }: Json): string | null {
  const config = toolConfig?.functionCallingConfig;
  if (config === undefined) return null;
  if (!MODES.has(config.mode)) return `Invalid mode ${config.mode}`;
  const names = tools.flatMap((tool: Json) =>
    (tool.functionDeclarations ?? []).map(({ name }: Json) => name),
  );
  const unknown = (config.allowedFunctionNames ?? []).find((name: string) => !names.includes(name));
  return unknown === undefined ? null : `allowed_function_names: ${unknown} is not declared`;
}

/** Each call is answered, in the very next content, as often as it was made. */
function checkConversation(contents: Json[]): string | null {
  let open: Json[] = [];
  for (const content of contents) {
    const problem = checkContent(content, content.role ?? 'user');
    if (problem !== null) return problem;
    const responses = content.parts.flatMap((part: Json) => part.functionResponse ?? []);
    if (responses.length !== open.length) {
      return 'the number of function response parts must equal that of function call parts';
    }
    for (const [at, call] of open.entries()) {
      const found = responses.find((response: Json, i: number) =>
        call.id === undefined ? i === at : response.id === call.id,
      );
      if (found?.name !== call.name) return `no function response for ${call.name} ${call.id}`;
    }
    open = content.parts.flatMap((part: Json) => part.functionCall ?? []);
  }
  return open.length === 0 ? null : 'the conversation ends with a function call';
}

function checkContent(content: Json, role: string): string | null {
  if (role !== 'system' && !['user', 'model', 'function'].includes(role)) {
    return `Please use a valid role: user, model. Not ${role}`;
  }
  const problem = unknownName('content.', content, new Set(['role', 'parts']));
  if (problem !== null) return problem;
  if (!Array.isArray(content.parts) || content.parts.length === 0) return 'parts must not be empty';
  return first(content.parts, checkPart);
}

function checkPart(part: Json): string | null {
  const kind = Object.keys(PARTS).find((name) => part[name] !== undefined);
  if (kind === undefined) return 'required oneof field data must have one initialized field';
  const problem = unknownName('parts.', part, new Set(PARTS[kind]));
  if (problem !== null) return problem;
  const { inlineData, fileData, functionCall, functionResponse, thoughtSignature } = part;
  if (inlineData !== undefined && !/^[A-Za-z0-9+/]+=*$/.test(inlineData.data)) {
    return 'inline_data.data: Base64 decoding failed';
  }
  if (inlineData !== undefined && !/^\w+\/[\w.+-]+/.test(inlineData.mimeType)) return 'mime_type';
  if (fileData !== undefined && !/^https:/.test(fileData.fileUri)) return 'file_uri';
  if (functionResponse !== undefined && !isObject(functionResponse.response)) return 'response';
  if (functionCall === undefined) return null;
  if (!isObject(functionCall.args)) return 'function_call.args: not a struct';
  const isSigned = thoughtSignature !== undefined;
  const signature = signatureOf(functionCall.name, functionCall.args);
  const isOwn = thoughtSignature === signature || thoughtSignature === NO_SIGNATURE;
  return isSigned && !isOwn ? 'Corrupted thought signature.' : null;
}

function unknownName(path: string, object: Json, known: ReadonlySet<string>): string | null {
  const name = Object.keys(object).find((key) => !known.has(key));
  return name === undefined
    ? null
    : `Invalid JSON payload received. Unknown name "${path}${name}": Cannot find field.`;
}

function first(items: Json[], check: (item: Json) => string | null): string | null {
  for (const item of items) {
    const problem = check(item);
    if (problem !== null) return problem;
  }
  return null;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
