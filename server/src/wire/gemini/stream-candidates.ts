/**
 * Keeps count of the candidates of one stream: it is complete only when every candidate that it
 * began has said why it ended, or the prompt was refused as a whole.
 */
import type { JsonObject } from '../../kernel/json.ts';
import { blockReason } from './decode/answer.ts';
import { objectsOf } from './fields.ts';
import { finishOf } from './finish-reason.ts';

/** More than a request can ask for. */
const MAX_CANDIDATES = 1024;

export class StreamCandidates {
  readonly #ended = new Map<number, boolean>();
  #open = 0;
  #blocked = false;

  get allEnded(): boolean {
    return this.#open === 0 && (this.#blocked || this.#ended.size > 0);
  }

  /** False where there are too many. */
  take(event: JsonObject): boolean {
    for (const [place, candidate] of objectsOf(event.candidates).entries()) {
      const index = typeof candidate.index === 'number' ? candidate.index : place;
      const ended = this.#ended.get(index) ?? false;
      if (!this.#ended.has(index)) {
        if (this.#ended.size >= MAX_CANDIDATES) return false;
        this.#open += 1;
      }
      const ends = finishOf(candidate.finishReason, false) !== null;
      if (!ended && ends) this.#open -= 1;
      this.#ended.set(index, ended || ends);
    }
    if (blockReason(event) !== undefined) this.#blocked = true;
    return true;
  }
}
