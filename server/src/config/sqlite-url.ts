/**
 * Addresses of SQLite files. `sqlite:` follows the habit of three slashes before a relative
 * path and four before an absolute one; `file:` is an address as everywhere else.
 */

/** The path of the file; null where the address names none (in memory, or on another host). */
export function sqliteFileOf(url: string): string | null {
  const scheme = url.slice(0, url.indexOf(':'));
  const rest = url.slice(scheme.length + 1);
  if (rest.includes('?') || rest.includes('#')) return null;
  const path = scheme === 'file' ? fileForm(rest) : sqliteForm(rest);
  return path === null || path === '' || path.includes(':memory:') ? null : path;
}

function sqliteForm(rest: string): string | null {
  if (rest.startsWith('///')) return rest.slice(3);
  return rest.startsWith('//') ? null : rest;
}

function fileForm(rest: string): string | null {
  if (rest.startsWith('//') && !rest.startsWith('///')) return null;
  try {
    return decodeURIComponent(rest.startsWith('///') ? rest.slice(2) : rest);
  } catch {
    return null;
  }
}
