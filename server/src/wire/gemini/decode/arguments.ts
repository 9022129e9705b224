/**
 * The arguments of function calls as the text they were written in. Parsing them and writing
 * them anew would change large numbers and the order of keys.
 *
 * The source of one list of parts is cut up once, and only where it holds a call.
 */
import type { JsonObject } from '../../../kernel/json.ts';
import { jsonItems, jsonSource } from '../../../kernel/json-source.ts';
import { nameOf } from '../fields.ts';

/** Finds the text of the arguments of the part at an index. */
export type ArgumentsOf = (index: number, part: JsonObject) => string;

/** `parts` gives the text of the list of parts. */
export function argumentsIn(parts: () => string | undefined): ArgumentsOf {
  let items: readonly string[] | null = null;
  return (index, part) => {
    items ??= jsonItems(parts() ?? '[]');
    const name = nameOf(part, 'functionCall') ?? 'functionCall';
    const source = jsonSource(items[index] ?? '{}', [name, 'args']);
    return source === undefined || source === 'null' ? '{}' : onOneLine(source);
  };
}

/** Line breaks of JSON stand between its tokens only: a printer's, and not the model's. */
function onOneLine(source: string): string {
  return /[\r\n]/.test(source) ? source.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1') : source;
}
