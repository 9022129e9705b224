/**
 * How likely each token was, in this wire's words and in the canonical ones.
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { objectsOf } from './fields.ts';

/** undefined where the candidate says nothing of it. */
export function decodeLogprobs(candidate: JsonObject): JsonObject | undefined {
  const { logprobsResult: result } = candidate;
  if (!isJsonObject(result) || !isJsonArray(result.chosenCandidates)) return undefined;
  const tops = objectsOf(result.topCandidates);
  const content = objectsOf(result.chosenCandidates).map((chosen, index) => ({
    ...tokenOf(chosen),
    top_logprobs: objectsOf(tops[index]?.candidates).map(tokenOf),
  }));
  return { content, refusal: null };
}

export function encodeLogprobs(value: JsonValue | undefined): JsonObject | undefined {
  if (!isJsonObject(value) || !isJsonArray(value.content)) return undefined;
  const tokens = objectsOf(value.content);
  return {
    chosenCandidates: tokens.map(candidateOf),
    topCandidates: tokens.map(({ top_logprobs: tops }) => ({
      candidates: objectsOf(tops).map(candidateOf),
    })),
  };
}

function tokenOf({ token, logProbability }: JsonObject): JsonObject {
  const text = typeof token === 'string' ? token : '';
  const logprob = typeof logProbability === 'number' ? logProbability : 0;
  return { token: text, logprob, bytes: [...Buffer.from(text)] };
}

function candidateOf({ token, logprob }: JsonObject): JsonObject {
  return { token: token ?? '', logProbability: logprob ?? 0 };
}
