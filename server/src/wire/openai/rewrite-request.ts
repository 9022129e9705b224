/**
 * The client's own bytes with the little changed that the provider must see differently: the
 * model's name, a request for usage in streams, the older name of the output limit. Nothing
 * is re-serialised, and where nothing changes the very same buffer is returned.
 */
import { type JsonEdit, type JsonMember, scanObject, spliceBytes } from '../../kernel/json.ts';

/** The part of a request that rewriting needs. */
export interface RewritableRequest {
  readonly model: string;
  readonly bytes: Buffer;
  readonly members: readonly JsonMember[];
}

export interface RequestChanges {
  /** The model's name at the provider. */
  readonly model: string;
  /** Asks for the usage chunk of a stream where the client did not. */
  readonly askForUsage: boolean;
  /** Writes `max_completion_tokens` under its older name, unless that is there too. */
  readonly olderTokenLimit: boolean;
}

const USAGE_MEMBER = '"include_usage":true';
const STREAM_OPTIONS_DEPTH = 64;
const QUOTE = 0x22;

export function rewriteRequest(request: RewritableRequest, changes: RequestChanges): Buffer {
  const edits: JsonEdit[] = [];
  if (changes.model !== request.model) {
    for (const { valueStart, valueEnd } of membersNamed(request.members, 'model')) {
      edits.push({ start: valueStart, end: valueEnd, text: JSON.stringify(changes.model) });
    }
  }
  if (changes.askForUsage) edits.push(...usageEdits(request));
  if (changes.olderTokenLimit) edits.push(...limitEdits(request));
  if (edits.length === 0) return request.bytes;
  edits.sort((a, b) => a.start - b.start);
  return spliceBytes(request.bytes, edits);
}

function usageEdits(request: RewritableRequest): JsonEdit[] {
  const options = membersNamed(request.members, 'stream_options');
  if (options.length > 0) {
    return options.flatMap((member) => optionEdits(request.bytes, member));
  }
  const last = request.members.at(-1);
  if (last === undefined) return [];
  const text = `,"stream_options":{${USAGE_MEMBER}}`;
  return [{ start: last.valueEnd, end: last.valueEnd, text }];
}

/** Within the object that the client sent; in place of it where it is null. */
function optionEdits(bytes: Buffer, member: JsonMember): JsonEdit[] {
  const value = bytes.subarray(member.valueStart, member.valueEnd);
  const scan = scanObject(value, STREAM_OPTIONS_DEPTH);
  if (scan.kind !== 'members') {
    return [{ start: member.valueStart, end: member.valueEnd, text: `{${USAGE_MEMBER}}` }];
  }
  const given = membersNamed(scan.members, 'include_usage');
  if (given.length > 0) {
    return given.map(({ valueStart, valueEnd }) => ({
      start: member.valueStart + valueStart,
      end: member.valueStart + valueEnd,
      text: 'true',
    }));
  }
  const inside = member.valueStart + 1;
  const text = scan.members.length === 0 ? USAGE_MEMBER : `${USAGE_MEMBER},`;
  return [{ start: inside, end: inside, text }];
}

function limitEdits(request: RewritableRequest): JsonEdit[] {
  if (membersNamed(request.members, 'max_tokens').length > 0) return [];
  return membersNamed(request.members, 'max_completion_tokens').map(({ valueStart }) => ({
    start: keyStart(request.bytes, valueStart),
    end: valueStart,
    text: '"max_tokens":',
  }));
}

/** Goes back from a value over its key, which holds no quote of its own. */
function keyStart(bytes: Buffer, valueStart: number): number {
  const closing = bytes.lastIndexOf(QUOTE, valueStart - 1);
  return bytes.lastIndexOf(QUOTE, closing - 1);
}

function membersNamed(members: readonly JsonMember[], key: string): JsonMember[] {
  return members.filter((member) => member.key === key);
}
