/**
 * The items that were sent for a response, a page at a time: newest first unless asked
 * otherwise, behind the item that `after` names.
 */
import { type JsonObject, parseJson } from '../../kernel/json.ts';
import { expected, type RequestProblem } from '../request-problem.ts';
import { listOf, objectOf, textOf } from '../values.ts';

export type ListResult =
  | { readonly kind: 'listed'; readonly list: JsonObject }
  | { readonly kind: 'refused'; readonly problem: RequestProblem };

const LIMIT_MAX = 100;
const LIMIT_USUAL = 20;

/** `input` is the kept JSON list; `query` what stood behind the path. */
export function listItems(input: string, query: Readonly<Record<string, unknown>>): ListResult {
  const { limit = String(LIMIT_USUAL), order = 'desc', after } = query;
  const count = typeof limit === 'string' && /^\d{1,3}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > LIMIT_MAX) {
    return { kind: 'refused', problem: expected('limit', `a number from 1 to ${LIMIT_MAX}`) };
  }
  if (order !== 'asc' && order !== 'desc') {
    return { kind: 'refused', problem: expected('order', '"asc" or "desc"') };
  }
  const kept = listOf(parseJson(input)).map(objectOf);
  const items = order === 'asc' ? kept : kept.toReversed();
  const at = after === undefined ? -1 : items.findIndex(({ id }) => id === after);
  if (after !== undefined && at < 0) {
    return { kind: 'refused', problem: expected('after', 'the id of an item of this response') };
  }
  const data = items.slice(at + 1, at + 1 + count);
  return {
    kind: 'listed',
    list: {
      object: 'list',
      data,
      first_id: textOf(data[0]?.id) ?? '',
      last_id: textOf(data.at(-1)?.id) ?? '',
      has_more: at + 1 + count < items.length,
    },
  };
}
