/** The recorded bodies and streams of `test/fixtures`. */
import { readFileSync } from 'node:fs';

/** Reads those of a vendor: `chat.sse` stands for `chat.VERSION.sse`. */
export function recorded(vendor: string, version: string): (name: string) => Buffer {
  return (name) => {
    const file = name.replace('.', `.${version}.`);
    return readFileSync(new URL(`../fixtures/${vendor}/${file}`, import.meta.url));
  };
}
