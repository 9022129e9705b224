/**
 * A canonical answer as Gemini's clients expect it. Arguments of calls are written as the text
 * that the model wrote; where that is no JSON object, the candidate says so in the word that
 * Gemini has for it, and the broken call is left out.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../../../kernel/json.ts';
import { RawJson, type WritableJson, writeJson } from '../../../kernel/json-source.ts';
import { objectsOf } from '../fields.ts';
import { finishWord } from '../finish-reason.ts';
import { encodeLogprobs } from '../logprobs.ts';
import { parseDataUrl } from '../media.ts';
import { encodeUsage, fromCanonicalUsage } from '../usage.ts';

type Written = { readonly [name: string]: WritableJson | undefined };

export function encodeAnswer(body: JsonObject): Buffer {
  const usage = fromCanonicalUsage(body.usage);
  const answer: Written = {
    candidates: objectsOf(body.choices).map(candidateOf),
    ...(usage === null ? {} : { usageMetadata: encodeUsage(usage) }),
    ...(typeof body.model === 'string' ? { modelVersion: body.model } : {}),
    ...(typeof body.id === 'string' ? { responseId: body.id } : {}),
  };
  return Buffer.from(writeJson(answer));
}

export function encodeTokenCount(body: JsonObject): Buffer {
  return Buffer.from(JSON.stringify({ totalTokens: body.input_tokens ?? 0 }));
}

function candidateOf(choice: JsonObject): Written {
  const message = isJsonObject(choice.message) ? choice.message : {};
  const calls = objectsOf(message.tool_calls).map(encodeCall);
  const isBroken = calls.includes(null);
  const parts = [
    ...thoughtParts(message),
    ...textParts(message),
    ...imageParts(message.images),
    ...calls.filter((call) => call !== null),
  ];
  const bag = isJsonObject(choice.esclusa) ? choice.esclusa : {};
  const likely = encodeLogprobs(choice.logprobs);
  return {
    content: { role: 'model', parts },
    finishReason: isBroken
      ? 'MALFORMED_FUNCTION_CALL'
      : finishWord(choice.finish_reason, bag.stop_reason),
    index: typeof choice.index === 'number' ? choice.index : 0,
    ...(likely === undefined ? {} : { logprobsResult: likely }),
  };
}

/** A canonical call as a part; null where its arguments are no JSON object. */
export function encodeCall(call: JsonObject): Written | null {
  const { id, function: named, esclusa } = call;
  const fn = isJsonObject(named) ? named : {};
  const args = argumentsOf(fn.arguments);
  if (args === null) return null;
  const signature = isJsonObject(esclusa) ? esclusa.signature : undefined;
  return {
    functionCall: {
      ...(typeof id === 'string' && id !== '' ? { id } : {}),
      name: fn.name ?? '',
      args,
    },
    ...(typeof signature === 'string' ? { thoughtSignature: signature } : {}),
  };
}

/** The arguments as they were written; null where they are no JSON object. */
function argumentsOf(text: JsonValue | undefined): RawJson | null {
  if (text == null || text === '') return new RawJson('{}');
  if (typeof text !== 'string' || !isJsonObject(parseJson(text))) return null;
  return new RawJson(text);
}

/** Reasoning in the vendor's pieces where there are any, else as one text. */
export function thoughtParts(message: JsonObject): readonly Written[] {
  const bag = isJsonObject(message.esclusa) ? message.esclusa : {};
  const blocks = objectsOf(bag.thinking_blocks).filter(({ type }) => type === 'thinking');
  if (blocks.length > 0) return blocks.map(thoughtPart);
  const { reasoning_content: text } = message;
  return typeof text === 'string' && text !== '' ? [thoughtPart({ thinking: text })] : [];
}

export function thoughtPart({ thinking, signature }: JsonObject): Written {
  return {
    text: typeof thinking === 'string' ? thinking : '',
    thought: true,
    ...(typeof signature === 'string' ? { thoughtSignature: signature } : {}),
  };
}

/** Text of a message, of its parts, or of its refusal; the last carries the signature. */
export function textParts(message: JsonObject): readonly Written[] {
  const texts = textsOf(message);
  const signature = isJsonObject(message.esclusa) ? message.esclusa.signature : undefined;
  if (typeof signature !== 'string') return texts.map((text) => ({ text }));
  const [last = '', ...before] = texts.toReversed();
  const signed = { text: last, thoughtSignature: signature };
  return [...before.toReversed().map((text) => ({ text })), signed];
}

function textsOf({ content, refusal }: JsonObject): readonly string[] {
  if (typeof content === 'string' && content !== '') return [content];
  const texts = objectsOf(content).flatMap(({ type, text, refusal: refused }) => {
    const said = type === 'refusal' ? refused : text;
    return typeof said === 'string' ? [said] : [];
  });
  if (texts.length > 0) return texts;
  return typeof refusal === 'string' && refusal !== '' ? [refusal] : [];
}

function imageParts(images: JsonValue | undefined): readonly Written[] {
  return objectsOf(images).flatMap(({ image_url: image }) => {
    const url = isJsonObject(image) ? image.url : undefined;
    const inline = typeof url === 'string' ? parseDataUrl(url) : null;
    return inline === null ? [] : [{ inlineData: { ...inline } }];
  });
}
