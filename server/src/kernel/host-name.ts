/**
 * Names of hosts as they are compared: lower-case, without port and closing dot, international
 * names in their ASCII form. Addresses are no names, and neither is what no resolver takes.
 */
import { domainToASCII } from 'node:url';

const LENGTH_MAX = 253;
const NAME = /^(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const PORT = /:\d{1,5}$/;
/** The last label of an IPv4 address, in any of its notations. */
const NUMBER = /(?:^|\.)(?:\d+|0x[0-9a-f]*)$/;

/** null where the text names no host. */
export function hostName(text: string): string | null {
  if (text.length > LENGTH_MAX + 7 || /[\s/@\\?#%]/.test(text)) return null;
  const bare = text.replace(PORT, '').replace(/\.$/, '');
  const name = domainToASCII(bare).toLowerCase();
  const isName = name.length <= LENGTH_MAX && NAME.test(name) && !NUMBER.test(name);
  return isName ? name : null;
}
