/**
 * Prompts by the reference that aliases and experiments use: `name@version`.
 */
import { createHash } from 'node:crypto';
import type { Settings } from './schema/file.ts';

export interface PromptConfig {
  /** `name@version#digest`: what is kept beside an exchange tells which text it was. */
  readonly id: string;
  readonly text: string;
}

const DIGEST_CHARS = 8;

/** Every reference there is, in the order of the file. */
export function promptReferences({ prompts }: Pick<Settings, 'prompts'>): readonly string[] {
  return Object.entries(prompts).flatMap(([name, versions]) =>
    Object.keys(versions).map((version) => `${name}@${version}`),
  );
}

/** undefined where the reference leads nowhere. */
export function promptOf(
  { prompts }: Pick<Settings, 'prompts'>,
  reference: string | undefined,
): PromptConfig | undefined {
  const [name = '', version = ''] = reference?.split('@') ?? [];
  const versions = Object.hasOwn(prompts, name) ? prompts[name] : undefined;
  if (versions === undefined || !Object.hasOwn(versions, version)) return undefined;
  const text = versions[version] ?? '';
  const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGEST_CHARS);
  return { id: `${name}@${version}#${digest}`, text };
}
