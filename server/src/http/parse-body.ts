/**
 * From the bytes of a body to a JSON object, parsed once, with the place of its outermost
 * members kept so that bytes can be forwarded with single values replaced.
 *
 * Refused here: what is not UTF-8, not JSON, not an object, nested too deep, or names one of
 * its members twice (parsers disagree on which one counts).
 */
import { isUtf8 } from 'node:buffer';
import { GatewayError } from '../gateway/index.ts';
import {
  isJsonObject,
  type JsonMember,
  type JsonObject,
  parseJson,
  scanObject,
} from '../kernel/json.ts';

export interface ParsedBody {
  readonly bytes: Buffer;
  readonly body: JsonObject;
  readonly members: readonly JsonMember[];
}

/** Beyond it nobody is told where a body that is no object stops being JSON: parsing costs. */
const EXPLAINED_BYTES = 65_536;
const NO_OBJECT = 'The body must be a JSON object.';

/** Throws `body_not_utf8`, `body_too_deep`, `body_not_json`, `duplicate_field`. */
export function parseBody(bytes: Buffer, maxDepth: number): ParsedBody {
  if (!isUtf8(bytes)) throw new GatewayError('body_not_utf8');
  const scan = scanObject(bytes, maxDepth);
  if (scan.kind === 'too_deep') {
    throw new GatewayError('body_too_deep', {
      message: `The JSON body nests deeper than ${maxDepth} levels.`,
    });
  }
  // A list of lists of lists is slow to parse, and is refused whatever it holds.
  if (scan.kind === 'not_an_object' && bytes.length > EXPLAINED_BYTES) {
    throw new GatewayError('body_not_json', { message: NO_OBJECT });
  }
  const body = parseJson(bytes.toString('utf8'));
  if (body === undefined) throw new GatewayError('body_not_json', { message: notJson(bytes) });
  if (scan.kind === 'not_an_object' || !isJsonObject(body)) {
    throw new GatewayError('body_not_json', { message: NO_OBJECT });
  }
  refuseDuplicates(scan.members);
  return { bytes, body, members: scan.members };
}

function refuseDuplicates(members: readonly JsonMember[]): void {
  const seen = new Set<string>();
  for (const member of members) {
    if (seen.has(member.key)) {
      throw new GatewayError('duplicate_field', {
        message: `The field ${JSON.stringify(member.key.slice(0, 64))} appears twice in the body.`,
        field: member.key.slice(0, 64),
      });
    }
    seen.add(member.key);
  }
}

function notJson(bytes: Buffer): string {
  if (bytes.length === 0) return 'The body is empty; a JSON object is expected.';
  try {
    JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    const where = / at position \d+(?: \(line \d+ column \d+\))?/.exec(String(error))?.[0];
    if (where !== undefined) return `The body is not valid JSON${where}.`;
  }
  return 'The body is not valid JSON: it ends too early or holds something else.';
}
