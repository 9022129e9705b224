/**
 * The messages of a chat request, as far as this program looks into them: roles, text and the
 * kinds of content parts. Unknown roles, parts and fields are the provider's to judge.
 */
import { isJsonArray, isJsonObject, type JsonValue } from '../../kernel/json.ts';
import { expected, firstProblem, type RequestProblem } from '../request-problem.ts';

const MAX_ROLE_CHARACTERS = 64;

export function checkMessages(messages: JsonValue | undefined): RequestProblem | null {
  if (!isJsonArray(messages) || messages.length === 0) {
    return expected('messages', 'a list of at least one message');
  }
  return firstProblem(messages, (message, index) => checkMessage(`messages[${index}]`, message));
}

function checkMessage(field: string, message: JsonValue): RequestProblem | null {
  if (!isJsonObject(message)) return expected(field, 'an object');
  const { role, content, tool_calls: toolCalls } = message;
  if (typeof role !== 'string' || role === '' || role.length > MAX_ROLE_CHARACTERS) {
    return expected(`${field}.role`, 'a text such as "user"');
  }
  return checkContent(`${field}.content`, content) ?? checkCalls(`${field}.tool_calls`, toolCalls);
}

function checkContent(field: string, content: JsonValue | undefined): RequestProblem | null {
  if (content == null || typeof content === 'string') return null;
  if (!isJsonArray(content)) return expected(field, 'a text or a list of content parts');
  return firstProblem(content, (part, index) => checkPart(`${field}[${index}]`, part));
}

function checkPart(field: string, part: JsonValue): RequestProblem | null {
  if (!isJsonObject(part)) return expected(field, 'an object');
  if (typeof part.type !== 'string') return expected(`${field}.type`, 'a text such as "text"');
  if (part.type === 'text' && typeof part.text !== 'string') {
    return expected(`${field}.text`, 'a text');
  }
  return null;
}

function checkCalls(field: string, calls: JsonValue | undefined): RequestProblem | null {
  if (calls == null) return null;
  if (!isJsonArray(calls)) return expected(field, 'a list');
  return firstProblem(calls, (call, index) =>
    isJsonObject(call) ? null : expected(`${field}[${index}]`, 'an object'),
  );
}
