/**
 * Which of a tenant's cached answers are meant: all conditions that are given must hold.
 */

export interface CacheSelection {
  /** The key of one answer. */
  readonly key?: string | undefined;
  /** Over keys: `*` is any text, `?` one character. */
  readonly pattern?: string | undefined;
  /** Who answered: a model as its provider calls it, or `provider/model`. */
  readonly model?: string | undefined;
}

export interface CachedAnswer {
  readonly key: string;
  readonly provider: string;
  readonly providerModel: string;
}

export function selects({ key, pattern, model }: CacheSelection, answer: CachedAnswer): boolean {
  if (key !== undefined && key !== answer.key) return false;
  if (pattern !== undefined && !globMatches(pattern, answer.key)) return false;
  const { provider, providerModel } = answer;
  return model === undefined || model === providerModel || model === `${provider}/${providerModel}`;
}

/** In time linear in the text for each star, whatever the pattern. */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let starText = 0;
  while (from < text.length) {
    const wanted = pattern[at];
    if (wanted === '*') {
      star = at;
      starText = from;
      at += 1;
    } else if (wanted !== undefined && (wanted === '?' || wanted === text[from])) {
      at += 1;
      from += 1;
    } else if (star >= 0) {
      at = star + 1;
      starText += 1;
      from = starText;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}
