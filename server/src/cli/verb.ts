/**
 * What a verb of the command line states of itself.
 */
import type { VerbAction } from './context.ts';
import type { Messages } from './messages/index.ts';

export interface OptionSpec {
  readonly flags: string;
  readonly text: keyof Messages['options'];
}

export interface Verb {
  /** Written as commander does: `<id>` is required. */
  readonly args: readonly { readonly name: string; readonly text: keyof Messages['arguments'] }[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly string[];
  /**
   * What the group does where no verb of it is named. Its argument is a path then, and has a
   * slash or a point: a bare word is a misspelt verb.
   */
  readonly isDefault?: true;
  readonly load: () => Promise<{ readonly run: VerbAction }>;
}

/** Some of the verbs; all of them together are checked to be complete. */
export type Rows = Readonly<Partial<Record<keyof Messages['verbs'], Verb>>>;
