/**
 * Ids of calls for answers whose API gave none. They are made of the answer's own id and the
 * place of the call, so that two calls of one conversation never share one, and are known by
 * their form: towards this API they are left out again.
 */
import type { JsonValue } from '../../kernel/json.ts';

const PREFIX = 'call_made_';
const MAX_ANSWER_ID_CHARACTERS = 24;

export function isMadeId(id: JsonValue | undefined): boolean {
  return typeof id === 'string' && id.startsWith(PREFIX);
}

/** The id of the `place`-th call of a candidate. */
export function madeId(answerId: string, candidate: number, place: number): string {
  const letters = answerId.replace(/[^\w-]/g, '').slice(0, MAX_ANSWER_ID_CHARACTERS);
  return `${PREFIX}${letters}_${candidate === 0 ? '' : `${candidate}_`}${place}`;
}
