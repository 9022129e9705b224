/**
 * Texts that PostgreSQL cannot hold: NUL and lone surrogates. They are stored behind a mark
 * from the private range and come back as they were; the mark itself is stored so, too.
 */
const MARK = '\uE000';
const CODE_DIGITS = 4;
/** With the `u` flag a pair of surrogates is one character, and only a lone one matches. */
const UNSTORABLE = new RegExp(`[\\0${MARK}]|\\p{Surrogate}`, 'gu');
const MARKED = /\uE000([0-9a-f]{4})/g;

export function storable(text: string): string {
  if (text.isWellFormed() && !text.includes('\0') && !text.includes(MARK)) return text;
  return text.replace(
    UNSTORABLE,
    (unit) => MARK + unit.charCodeAt(0).toString(16).padStart(CODE_DIGITS, '0'),
  );
}

export function original(text: string): string {
  if (!text.includes(MARK)) return text;
  return text.replace(MARKED, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
