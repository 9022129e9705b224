/**
 * Origins of pages, in the one form in which browsers send them: scheme, host in lower case, and
 * the port where it is not the scheme's own.
 */

/** Stands for all of them. */
export const EVERY_ORIGIN = '*';

/** Of a list with commas; what is no origin is told by `onWrong`, and left out. */
export function readOrigins(text: string, onWrong: (text: string) => void): readonly string[] {
  const origins: string[] = [];
  for (const part of text.split(',').map((each) => each.trim())) {
    const origin = originOf(part);
    if (origin === null) onWrong(part);
    else origins.push(origin);
  }
  return origins;
}

function originOf(text: string): string | null {
  if (text === EVERY_ORIGIN) return text;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) return null;
  // Whatever stands behind the port, and a user before the host, is more than an origin.
  return url.href === `${url.origin}/` && !/[?#@]/.test(text) ? url.origin : null;
}
