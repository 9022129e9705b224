/**
 * The names under which a shared store keeps what it keeps: `esclusa:<what>:<tenant>:…`.
 *
 * 1. In a cluster the part in braces decides on the node, and the first braces count. So what
 *    stands before them never holds one: a tenant's name is escaped, and no two names meet.
 * 2. Everything about one cached answer has the same tag, its key: it can be touched by one
 *    script, and a tenant's answers are spread over all nodes.
 * 3. A part never holds a `:` of its own, nor what `SCAN … MATCH` gives a meaning.
 */

const PLAIN = /^[A-Za-z0-9_-]+$/;

/** The cached answer. */
export function entryKeyOf(tenant: string, key: string): string {
  return besideEntry(tenant, key, 'e');
}

/** What belongs to a cached answer (its flight, say) and lies in the same slot. */
export function besideEntry(tenant: string, key: string, what: string): string {
  return `${entriesOf(tenant)}{${escaped(key)}}:${what}`;
}

/** What the keys of all cached answers of a tenant begin with. */
function entriesOf(tenant: string): string {
  return `esclusa:c:${escaped(tenant)}:`;
}

/** The pattern of `SCAN` for a tenant's cached answers; `glob` (`*`, `?`) is over their keys. */
export function entryPattern(tenant: string, glob = '*'): string {
  return `${entriesOf(tenant)}{${glob.replaceAll(/[^\w*?-]/g, '?')}}:e`;
}

/** The pattern for everything about cached answers of a tenant, their flights too. */
export function aboutEntriesPattern(tenant: string): string {
  return `${entriesOf(tenant)}*`;
}

/** The key of the answer that lies under a name; escaped, as keys are digests. */
export function keyOfEntry(name: string): string {
  return name.slice(name.indexOf('{') + 1, name.lastIndexOf('}'));
}

/** The generation of a tenant's cached answers. */
export function generationKeyOf(tenant: string): string {
  return `esclusa:g:${escaped(tenant)}`;
}

/** Changes with every purge of anybody. */
export const PURGES_KEY = 'esclusa:purges';
/** Changes when single answers were removed. */
export const REMOVALS_KEY = 'esclusa:removals';
/** Says at once what those two say to who asks. */
export const PURGES_CHANNEL = 'esclusa:purged';

/** What the cache did for a tenant: one hash. No name: all tenants together. */
export function statsKeyOf(tenant: string): string {
  return `esclusa:stats:${escaped(tenant)}`;
}

/** Anything but plain characters as `~` and its bytes; an empty name is a lone `~`. */
export function escaped(part: string): string {
  if (PLAIN.test(part)) return part;
  if (part === '') return '~';
  const bytes = [...Buffer.from(part)];
  return bytes.map((byte) => (isPlain(byte) ? String.fromCharCode(byte) : hex(byte))).join('');
}

function isPlain(byte: number): boolean {
  return PLAIN.test(String.fromCharCode(byte)) && byte < 0x80;
}

function hex(byte: number): string {
  return `~${byte.toString(16).padStart(2, '0')}`;
}
