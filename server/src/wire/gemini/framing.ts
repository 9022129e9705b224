/**
 * The two forms in which this wire streams: server-sent events, and the items of one JSON list.
 *
 * Invariant: whatever was written, `end` (or an error's own item) makes it legal. Clients that
 * read a list get it from behind the first item on, so that nothing else needs to know.
 */
import type { Framing } from './types.ts';

const NOTHING = Buffer.alloc(0);

export class EventFramer {
  readonly #framing: Framing;
  #opened = false;

  constructor(framing: Framing) {
    this.#framing = framing;
  }

  /** True where a list has not been opened yet. */
  get mustOpen(): boolean {
    return this.#framing === 'list' && !this.#opened;
  }

  /** One event, as the text of its JSON. */
  item(json: string): Buffer {
    if (this.#framing === 'events') return Buffer.from(`data: ${onOneLine(json)}\n\n`);
    const before = this.#opened ? ',\n' : '[';
    this.#opened = true;
    return Buffer.from(before + json);
  }

  /** What stands behind the last event. */
  end(): Buffer {
    return this.#framing === 'events' ? NOTHING : Buffer.from('\n]\n');
  }
}

/**
 * An event is one line. Line breaks that stand in JSON stand between its tokens, where a model
 * that lays out its arguments put them.
 */
function onOneLine(json: string): string {
  return /[\r\n]/.test(json) ? json.replaceAll(/[\r\n]+/g, ' ') : json;
}
