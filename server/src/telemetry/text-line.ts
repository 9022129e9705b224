/**
 * A JSON log line as a person reads it, `time - name - level - message`, then its fields:
 * `2026-11-20T14:02:11.123Z - exchange - info - request completed  model=mock status=200 …`.
 *
 * Invariant: whatever a value holds, it stays on its line and cannot steer the terminal:
 * control characters are written as `\uXXXX`.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from '../kernel/json.ts';

const HEAD = new Set(['timestamp', 'level', 'logger', 'message', 'context', 'exception']);
const DIM = '\u001b[2m';
const RED = '\u001b[31m';
const YELLOW = '\u001b[33m';
const PLAIN = '\u001b[0m';

/** Answers lines that are not ours unchanged. */
export function textLine(jsonLine: string, colour: boolean): string {
  const line = parseJson(jsonLine);
  if (!isJsonObject(line)) return jsonLine;
  const fields = [...members(line), ...contextMembers(line.context)];
  const level = paint(String(line.level ?? ''), colour);
  const head = `${printable(line.timestamp)} - ${printable(line.logger)} - ${level}`;
  const tail = fields.length === 0 ? '' : `  ${colour ? DIM : ''}${fields.join(' ')}`;
  const end = colour ? PLAIN : '';
  return `${head} - ${printable(line.message)}${tail}${end}\n${traceback(line.exception)}`;
}

function members(line: JsonObject): string[] {
  return Object.entries(line)
    .filter(([name, value]) => !HEAD.has(name) && value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${printable(value)}`);
}

function contextMembers(context: JsonValue | undefined): string[] {
  if (!isJsonObject(context)) return [];
  return Object.entries(context)
    .filter(([name, value]) => name !== 'service' && value !== null && value !== undefined)
    .map(([name, value]) => `${name}=${printable(value)}`);
}

/** Controls, separators of lines, and marks that turn the direction of writing. */
const STEERING = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

function printable(value: JsonValue | undefined): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  return text.replace(STEERING, (mark) => {
    return mark === '\n' ? '\\n' : `\\u${mark.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

function paint(level: string, colour: boolean): string {
  if (!colour) return level;
  const paints: Readonly<Record<string, string>> = { error: RED, warn: YELLOW, debug: DIM };
  const chosen = paints[level];
  return chosen === undefined ? level : `${chosen}${level}${PLAIN}`;
}

function traceback(exception: JsonValue | undefined): string {
  if (!isJsonObject(exception)) return '';
  const lines = String(exception.traceback ?? '').split('\n');
  return lines.map((line) => `    ${printable(line)}\n`).join('');
}
