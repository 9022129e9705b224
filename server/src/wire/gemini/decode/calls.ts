/**
 * The ids of function calls within one conversation. This wire knew none at first and leaves
 * them optional; the canonical form needs one for each call and its result.
 *
 * Invariants: ids that were given are kept; the others are made from the place of the call in
 * the conversation, so that the same history always gets the same ids; a result without an id
 * belongs to the first unanswered call of its name.
 */

export class CallIds {
  readonly #open: { id: string; name: string }[] = [];
  readonly #taken = new Set<string>();
  #calls = 0;

  /** The id of the next call. */
  ofCall(name: string, given: string | null): string {
    const id = given ?? this.#make();
    this.#taken.add(id);
    this.#open.push({ id, name });
    return id;
  }

  /** The id of the call that a result answers; one of its own where there is no such call. */
  ofResult(name: string, given: string | null): string {
    const at = this.#open.findIndex((call) =>
      given === null ? call.name === name : call.id === given,
    );
    if (at < 0) return given ?? this.#make();
    const [call] = this.#open.splice(at, 1);
    return (call as { id: string }).id;
  }

  #make(): string {
    let id: string;
    do {
      id = `call_${this.#calls}`;
      this.#calls += 1;
    } while (this.#taken.has(id));
    return id;
  }
}
