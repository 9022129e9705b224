/**
 * What leaks hold most often, thirty thousand passwords in lower case, the commonest first. The
 * list is loaded when the first password is chosen, and not with the program.
 */
import { createRequire } from 'node:module';

interface LanguagePackage {
  readonly dictionary: { readonly passwords: readonly string[] };
}

export function listedPasswords(): readonly string[] {
  const require = createRequire(import.meta.url);
  return (require('@zxcvbn-ts/language-common') as LanguagePackage).dictionary.passwords;
}
