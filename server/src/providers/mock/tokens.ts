/**
 * Tokens as the mock counts them: four characters are one. Plain to work out by hand, the same
 * on every machine, and near enough to real tokenisers for budgets to be tried out.
 */

export const CHARACTERS_PER_TOKEN = 4;

export function countTokens(text: string): number {
  return Math.ceil(text.length / CHARACTERS_PER_TOKEN);
}

/** The first `length` characters, never half of a surrogate pair. */
export function cutText(text: string, length: number): string {
  if (text.length <= length) return text;
  const cut = text.slice(0, length);
  return cut.isWellFormed() ? cut : cut.slice(0, -1);
}

/** Cuts a text into pieces as a model streams them: words, long ones in parts. */
export function textPieces(text: string): string[] {
  const pieces: string[] = [];
  for (const word of text.match(/\s*\S+|\s+$/g) ?? []) {
    let rest = word;
    while (rest.length > MAX_PIECE_CHARACTERS) {
      const head = cutText(rest, MAX_PIECE_CHARACTERS);
      pieces.push(head);
      rest = rest.slice(head.length);
    }
    pieces.push(rest);
  }
  return pieces;
}

const MAX_PIECE_CHARACTERS = 12;
