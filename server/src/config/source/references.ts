/**
 * `${NAME}` in the configuration file. Braces have a meaning in YAML, so references are put
 * into characters without one before parsing, of the same length so that columns stay true,
 * and expanded in each text afterwards. `$${` stands for `${` itself.
 *
 * Invariant: a variable that is missing or empty is a problem, never an empty text.
 */

const DOLLAR = '\ue000';
const OPEN = '\ue001';
const CLOSE = '\ue002';
const ESCAPE = '\ue003';

/** Up to its brace; a quote ends the text around it, so a brace behind one is YAML's own. */
const REFERENCE = /\$\{(?:([^{}\r\n"']*)\})?/.source;
/** Nothing has to be found in it, so its brace is hidden only where it cannot be YAML's. */
const ESCAPED = /\$\$\{(?:((?:[^{}\r\n"',]*[^{}\s"',])?)\})?/.source;
const WRITTEN = new RegExp(`${ESCAPED}|${REFERENCE}`, 'g');
const HIDDEN = /(\ue003?)\ue000\ue001(?:([^\ue000-\ue003]*)\ue002)?/g;
const HIDDEN_ALONE = /^\ue000\ue001[^\ue000-\ue003]*\ue002$/;
const RESERVED = /[\ue000-\ue003]/;
const UNCLOSED = `\`\${\` has no closing \`}\`; write \`$\${\` for the text itself`;
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Hides references from the YAML parser; null where the text already has our characters. */
export function hideReferences(text: string): string | null {
  if (RESERVED.test(text)) return null;
  return text.replace(WRITTEN, (all, escaped: string | undefined, name: string | undefined) => {
    const isEscaped = all.startsWith('$$');
    const inner = isEscaped ? escaped : name;
    if (inner === undefined && !isEscaped) return all; // `${` without end: reported below
    const start = `${isEscaped ? ESCAPE : ''}${DOLLAR}${OPEN}`;
    return inner === undefined ? start : `${start}${inner}${CLOSE}`;
  });
}

export interface Expansion {
  readonly text: string;
  /** The text was one reference and nothing else. */
  readonly alone: boolean;
  readonly problems: readonly string[];
}

/** Replaces the hidden references of one text by what `lookup` knows. */
export function expandReferences(
  hidden: string,
  lookup: (name: string) => string | undefined,
): Expansion {
  const problems: string[] = [];
  if (hidden.includes('${')) problems.push(UNCLOSED);
  const text = hidden.replace(HIDDEN, (_all, doubled: string, name: string | undefined) => {
    if (doubled !== '') return name === undefined ? '${' : `\${${name}}`;
    if (name === undefined || !NAME.test(name)) {
      problems.push(`\`\${${name ?? ''}}\` is not a reference; accepted: \`\${NAME}\``);
      return '';
    }
    const value = lookup(name);
    if (value === undefined) problems.push(`the variable ${name} is not set`);
    return value ?? '';
  });
  return { text, alone: HIDDEN_ALONE.test(hidden), problems };
}
