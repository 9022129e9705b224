/**
 * How a model takes what models of its vendor take in several ways, as a row of the catalogue
 * says it: in the words of the settings with which an operator overrides it for a provider.
 */
import {
  REASONING_CONTROLS,
  type ReasoningControl,
  STRUCTURED_OUTPUTS,
  type StructuredOutput,
} from '../providers/anthropic/settings.ts';

export interface ModelManner {
  readonly reasoning?: ReasoningControl;
  readonly structuredOutput?: StructuredOutput;
}

/** The members of a row that say it. */
export interface MannerRow {
  readonly reasoning?: ReasoningControl;
  readonly structured_output?: StructuredOutput;
}

export const MANNER_MEMBERS = ['reasoning', 'structured_output'] as const;

/** null where the row says nothing. */
export function mannerOf(
  { reasoning, structured_output }: Readonly<Record<string, unknown>>,
  complain: (message: string) => void,
): ModelManner | null {
  if (reasoning === undefined && structured_output === undefined) return null;
  const control = wordOf(REASONING_CONTROLS, 'reasoning', reasoning, complain);
  const output = wordOf(STRUCTURED_OUTPUTS, 'structured_output', structured_output, complain);
  return {
    ...(control === undefined ? {} : { reasoning: control }),
    ...(output === undefined ? {} : { structuredOutput: output }),
  };
}

export function mannerRow(manner: ModelManner | null): MannerRow {
  const { reasoning, structuredOutput } = manner ?? {};
  return {
    ...(reasoning === undefined ? {} : { reasoning }),
    ...(structuredOutput === undefined ? {} : { structured_output: structuredOutput }),
  };
}

function wordOf<T extends string>(
  words: readonly T[],
  member: string,
  value: unknown,
  complain: (message: string) => void,
): T | undefined {
  const word = words.find((each) => each === value);
  if (word === undefined && value !== undefined) {
    complain(`${member} is not one of ${words.join(', ')}`);
  }
  return word;
}
