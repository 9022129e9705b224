/**
 * A text that a simple regular expression matches as a whole: literals, classes, groups,
 * alternatives and counted repetition. What needs more (look-around, back references,
 * Unicode properties) gives null.
 *
 * The expression is only read, never run, so that a hostile one costs nothing; the text it
 * gives is bounded.
 */

const MAX_TEXT_CHARACTERS = 1_000;
const MAX_DEPTH = 20;

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'sequence'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

/** `minLength` is reached by repeating what may be repeated; null where that does not help. */
export function textForPattern(pattern: string, minLength: number): string | null {
  const node = new Reader(pattern).read();
  if (node === null) return null;
  for (let extra = 0; extra <= minLength; extra += 1) {
    const text = write(node, extra);
    if (text === null) return null;
    if (text.length >= minLength) return text;
  }
  return null;
}

function write(node: Node, extra: number): string | null {
  switch (node.kind) {
    case 'text':
      return node.text;
    case 'sequence': {
      let text = '';
      for (const child of node.nodes) {
        const part = write(child, extra);
        if (part === null || text.length + part.length > MAX_TEXT_CHARACTERS) return null;
        text += part;
      }
      return text;
    }
    case 'repeat': {
      const part = write(node.node, extra);
      const times = Math.min(node.max, node.min + extra);
      if (part === null || part.length * times > MAX_TEXT_CHARACTERS) return null;
      return part.repeat(times);
    }
  }
}

const CLASSES: Readonly<Record<string, string>> = {
  d: '0123456789',
  w: 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_',
  s: ' \t\n',
};
const PRINTABLE = Array.from({ length: 95 }, (_, i) => String.fromCharCode(32 + i)).join('');
/** Tried in this order, so that texts read well. */
const PREFERRED = `${CLASSES.w}${PRINTABLE}`;
const CONTROLS: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', f: '\f', v: '\v' };

class Reader {
  readonly #source: string;
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  /** null where the expression holds something this reader does not know. */
  read(): Node | null {
    const node = this.#alternatives();
    return this.#at === this.#source.length ? node : null;
  }

  /** The first alternative stands for all; the others are read to find their end. */
  #alternatives(): Node | null {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) return null;
    const first = this.#sequence();
    while (this.#take('|')) {
      if (this.#sequence() === null) return null;
    }
    this.#depth -= 1;
    return first;
  }

  #sequence(): Node | null {
    const nodes: Node[] = [];
    while (this.#at < this.#source.length && !/[|)]/.test(this.#peek())) {
      if (this.#take('^') || this.#take('$')) continue;
      const atom = this.#atom();
      const node = atom === null ? null : this.#quantified(atom);
      if (node === null) return null;
      nodes.push(node);
    }
    return { kind: 'sequence', nodes };
  }

  #atom(): Node | null {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return this.#class();
    if (this.#take('\\')) return literal(this.#escape());
    if (this.#take('.')) return literal('a');
    const char = this.#next();
    return /[*+?{]/.test(char) ? null : literal(char);
  }

  #group(): Node | null {
    if (this.#take('?')) {
      const named = /^<[A-Za-z]\w*>/.exec(this.#source.slice(this.#at, this.#at + 64));
      if (named !== null) this.#at += named[0].length;
      else if (!this.#take(':')) return null;
    }
    const node = this.#alternatives();
    return node !== null && this.#take(')') ? node : null;
  }

  #class(): Node | null {
    const negated = this.#take('^');
    let members = '';
    while (this.#peek() !== ']') {
      const from = this.#classMember();
      if (from === null) return null;
      if (this.#peek() === '-' && this.#source[this.#at + 1] !== ']' && from.length === 1) {
        this.#at += 1;
        const to = this.#classMember();
        if (to?.length !== 1) return null;
        members += range(from, to);
      } else members += from;
    }
    this.#at += 1;
    const wanted = [...PREFERRED].find((char) => members.includes(char) !== negated);
    return literal(wanted ?? (negated ? null : (members[0] ?? null)));
  }

  /** The characters one member of a class stands for; null at the end of the expression. */
  #classMember(): string | null {
    if (this.#at >= this.#source.length) return null;
    const char = this.#next();
    if (char !== '\\') return char;
    const name = this.#peek();
    const set = CLASSES[name];
    if (set !== undefined) {
      this.#at += 1;
      return set;
    }
    return this.#escape();
  }

  /** A character that the escape just begun stands for; null where it is not a character. */
  #escape(): string | null {
    const name = this.#next();
    const control = CONTROLS[name];
    if (control !== undefined) return control;
    const set = CLASSES[name];
    if (set !== undefined) return name === 'd' ? '1' : (set[0] ?? null);
    if (name === 'D' || name === 'S') return 'a';
    if (name === 'W') return ' ';
    if (name === 'u' || name === 'x') return this.#codePoint(name === 'u' ? 4 : 2);
    return /[A-Za-z0-9]/.test(name) || name === '' ? null : name;
  }

  #codePoint(digits: number): string | null {
    const hex = this.#source.slice(this.#at, this.#at + digits);
    if (hex.length !== digits || !/^[0-9a-f]+$/i.test(hex)) return null;
    this.#at += digits;
    return String.fromCharCode(Number.parseInt(hex, 16));
  }

  #quantified(node: Node): Node | null {
    const bounds = this.#bounds();
    if (bounds === null) return node;
    this.#take('?'); // lazy: the same texts
    const [min, max] = bounds;
    return max < min ? null : { kind: 'repeat', node, min, max };
  }

  #bounds(): [number, number] | null {
    if (this.#take('*')) return [0, Number.POSITIVE_INFINITY];
    if (this.#take('+')) return [1, Number.POSITIVE_INFINITY];
    if (this.#take('?')) return [0, 1];
    const braces = /^\{(\d{1,6})(,)?(\d{1,6})?\}/.exec(this.#source.slice(this.#at, this.#at + 20));
    if (braces === null) return null;
    this.#at += braces[0].length;
    const min = Number(braces[1]);
    if (braces[2] === undefined) return [min, min];
    return [min, braces[3] === undefined ? Number.POSITIVE_INFINITY : Number(braces[3])];
  }

  #peek(): string {
    return this.#source[this.#at] ?? '';
  }

  #next(): string {
    const char = this.#peek();
    this.#at += 1;
    return char;
  }

  #take(char: string): boolean {
    if (this.#peek() !== char) return false;
    this.#at += 1;
    return true;
  }
}

function literal(text: string | null): Node | null {
  return text === null ? null : { kind: 'text', text };
}

function range(from: string, to: string): string {
  let text = '';
  const last = Math.min(to.charCodeAt(0), from.charCodeAt(0) + 256);
  for (let code = from.charCodeAt(0); code <= last; code += 1) text += String.fromCharCode(code);
  return text;
}
