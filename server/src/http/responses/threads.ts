/**
 * Conversations over the store of kept responses: what came before a request is put before it
 * in canonical form, and a response is kept with the items that were sent for it.
 *
 * How far a conversation may reach back is bounded, in responses and in bytes.
 */
import {
  GatewayError,
  type KeptResponse,
  type PlainAnswer,
  type ResponseStore,
  type Thread,
  type Threads,
} from '../../gateway/index.ts';
import { isJsonArray, isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import { decodeRequest } from '../../wire/responses/decode-request.ts';
import {
  adoptEvents,
  adoptResponse,
  eventResponse,
  keptItems,
} from '../../wire/responses/kept-response.ts';

export interface ThreadSettings {
  /** Of one response with its input. */
  readonly maxEntryBytes: number;
}

const CHAIN_RESPONSES_MAX = 200;
const CHAIN_BYTES_MAX = 33_554_432;

export function createThreads(
  store: Pick<ResponseStore, 'chain' | 'insert'>,
  settings: () => ThreadSettings,
): Threads {
  return {
    async recall({ tenant }, request) {
      const { foreign } = request;
      const thread = foreign?.thread;
      if (foreign === undefined || thread === undefined) return request;
      if (thread.keep) requireRoom(request.bytes.length, settings().maxEntryBytes);
      if (thread.previousId === null) return request;
      const limits = { maxResponses: CHAIN_RESPONSES_MAX, maxBytes: CHAIN_BYTES_MAX };
      const chain = await store.chain(tenant, thread.previousId, limits);
      requireWhole(chain, thread.previousId);
      const earlier = chain.toReversed().flatMap(itemsOf);
      const { body, needed, dropped } = decodeRequest(foreign.body, earlier);
      const contextBytes = chain.reduce((sum, kept) => sum + bytesOf(kept), 0);
      return { ...request, body, contextBytes, foreign: { ...foreign, needed, dropped } };
    },

    adopt(request, answer) {
      const { foreign } = request;
      return foreign?.thread === undefined ? answer : adopted(foreign.body, foreign.thread, answer);
    },

    adoptFrame(request, frame) {
      const { foreign } = request;
      if (foreign?.thread === undefined) return frame;
      const { body, thread } = foreign;
      const own = (events: Buffer): Buffer => adoptEvents(events, body, thread.answerId);
      return { ...frame, bytes: own(frame.bytes), terminal: frame.terminal && own(frame.terminal) };
    },

    async keep(owner, { foreign }, answer) {
      if (foreign?.thread === undefined) return;
      const { answerId: id, createdAtMs, previousId } = foreign.thread;
      const response = eventResponse(answer);
      const input = Buffer.from(JSON.stringify(keptItems(foreign.body.input, id)));
      const kept = { ...owner, id, createdAtMs, previousId, input, response };
      if (bytesOf(kept) > settings().maxEntryBytes) throw notKept(tooLarge(settings()), false);
      try {
        await store.insert(kept);
      } catch (cause) {
        // It says when to try again.
        if (cause instanceof GatewayError && cause.code === 'tenant_moving') throw cause;
        throw notKept('The database did not take it.', true, cause);
      }
    },
  };
}

function requireRoom(bytes: number, maxEntryBytes: number): void {
  if (bytes <= maxEntryBytes) return;
  throw new GatewayError('body_too_large', {
    message: `${tooLarge({ maxEntryBytes })} Send less, or send \`store: false\`.`,
  });
}

function tooLarge({ maxEntryBytes }: ThreadSettings): string {
  return `It is larger than ${maxEntryBytes} bytes (responses.max_entry_bytes).`;
}

function notKept(why: string, retryable: boolean, cause?: unknown): GatewayError {
  const message = `The answer could not be kept, and so is not given. ${why}`;
  return new GatewayError('response_not_kept', { message, retryable, cause });
}

function requireWhole(chain: readonly KeptResponse[], previousId: string): void {
  const oldest = chain.at(-1);
  if (oldest !== undefined && oldest.previousId === null) return;
  const bytes = chain.reduce((sum, kept) => sum + bytesOf(kept), 0);
  if (chain.length >= CHAIN_RESPONSES_MAX || bytes > CHAIN_BYTES_MAX) {
    throw new GatewayError('invalid_request', {
      message:
        `The conversation behind \`previous_response_id\` is longer than ${CHAIN_RESPONSES_MAX}` +
        ` responses or ${CHAIN_BYTES_MAX} bytes. Send the part that matters as \`input\`.`,
      field: 'previous_response_id',
    });
  }
  const shown = JSON.stringify(previousId);
  throw new GatewayError('previous_response_not_found', {
    message:
      oldest === undefined
        ? `Previous response with id ${shown} not found.`
        : `A response before the one with id ${shown} is not kept any more.`,
    field: 'previous_response_id',
  });
}

function itemsOf({ input, response }: KeptResponse): readonly JsonObject[] {
  const sent = parseJson(textOf(input));
  const said = parseJson(textOf(response));
  const output = isJsonObject(said) ? said.output : undefined;
  const all = [...(isJsonArray(sent) ? sent : []), ...(isJsonArray(output) ? output : [])];
  return all.filter(isJsonObject);
}

function adopted(source: JsonObject, thread: Thread, answer: PlainAnswer): PlainAnswer {
  const response = parseJson(answer.bytes.toString('utf8'));
  if (!isJsonObject(response)) return answer;
  const own = adoptResponse(response, source, thread.answerId);
  return { ...answer, bytes: Buffer.from(JSON.stringify(own)) };
}

function bytesOf({ input, response }: Pick<KeptResponse, 'input' | 'response'>): number {
  return input.length + response.length;
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
