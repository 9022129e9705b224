/**
 * Looks into bodies of any shape without trusting them.
 */

/** What stands at a path; undefined where there is nothing. */
export function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = (found as Readonly<Record<string | number, unknown>>)[step];
  }
  return found;
}

/** What stands at a path of each item of a list. */
export function each(list: unknown, ...path: readonly (string | number)[]): unknown {
  return Array.isArray(list) ? list.map((item) => at(item, ...path)) : undefined;
}

/** The first message of a role. */
export function messageOf(body: unknown, role: string): unknown {
  const messages = at(body, 'messages');
  if (!Array.isArray(messages)) return undefined;
  return messages.find((message) => at(message, 'role') === role);
}
