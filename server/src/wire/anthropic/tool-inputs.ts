/**
 * The `input` of every tool call as it was written, found in the bytes it came in. Nothing is
 * searched for before a call is asked after: most requests have none.
 */
import { rawItems, rawMember } from './raw-values.ts';

export interface ToolInputs {
  /** The text of `content[block].input`; null where there is none. */
  of(block: number): string | null;
}

/** Of one message or answer, whose content is a list of blocks. */
export function toolInputs(message: Buffer): ToolInputs {
  let blocks: readonly Buffer[] | null = null;
  return {
    of(block) {
      blocks ??= itemsOf(message, 'content');
      const bytes = blocks[block];
      const input = bytes === undefined ? null : rawMember(bytes, 'input');
      return input === null ? null : input.toString('utf8');
    },
  };
}

/** Of each message of a request. */
export function requestInputs(request: Buffer): (message: number) => ToolInputs {
  let messages: readonly Buffer[] | null = null;
  const ofMessage = new Map<number, ToolInputs>();
  return (message) => ({
    of(block) {
      messages ??= itemsOf(request, 'messages');
      const known = ofMessage.get(message);
      if (known !== undefined) return known.of(block);
      const inputs = toolInputs(messages[message] ?? Buffer.alloc(0));
      ofMessage.set(message, inputs);
      return inputs.of(block);
    },
  });
}

function itemsOf(bytes: Buffer, member: string): readonly Buffer[] {
  const list = rawMember(bytes, member);
  return list === null ? [] : rawItems(list);
}
