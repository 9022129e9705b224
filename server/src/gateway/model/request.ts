/**
 * The canonical request: OpenAI's shape, parsed once, beside the bytes it came in. Inbound
 * dialects decode to it, providers encode from it; a provider of the same dialect forwards
 * `bytes` with single values replaced and never serialises `body` again.
 *
 * Whatever `body` holds beyond the fields named here is kept and passed on.
 */
import type { JsonMember, JsonObject } from '../../kernel/json.ts';
import type { Dialect, Operation } from './target.ts';

export interface InferenceRequest {
  readonly operation: Operation;
  readonly dialect: Dialect;
  /** The model as the client wrote it: an alias or `provider/model`. */
  readonly model: string;
  readonly stream: boolean;
  /** The client asked for the usage chunk of a stream. */
  readonly includeUsage: boolean;
  /** What the client allows for one answer; null when it does not say. */
  readonly maxOutputTokens: number | null;
  /** Answers asked for by `n` (and `best_of`), at least 1. */
  readonly choices: number;
  readonly temperature: number | null;
  /** Canonical fields, unknown ones included. */
  readonly body: JsonObject;
  /** The client's bytes, and where the members of its outermost object lie in them. */
  readonly bytes: Buffer;
  readonly members: readonly JsonMember[];
  readonly cacheControl: CacheControl;
  /** What the client sent, where `bytes` holds an operator's prompt, too. */
  readonly sentBytes?: Buffer;
  /** Bytes of the conversation that was put before the client's own; absent: none. */
  readonly contextBytes?: number;
  /** Of a client whose dialect is not the canonical one. */
  readonly foreign?: ForeignRequest;
}

/** What the canonical form does not hold of a request that came in another dialect. */
export interface ForeignRequest {
  /** The client's body, parsed, unknown members included: part of cache keys. */
  readonly body: JsonObject;
  /** Headers that say how the bytes are meant (version, features); they travel with the bytes. */
  readonly headers: Readonly<Record<string, string>>;
  /** Fields that only the client's own dialect can say; a target of another one is refused. */
  readonly needed: readonly string[];
  /** Fields left out towards another dialect, and reported: `messages[0].content[1].title`. */
  readonly dropped: readonly string[];
  /** The canonical body holds what the client's bytes do not: they are not passed on. */
  readonly isExtended?: boolean;
  /** How events are framed, where the dialect has two ways: `list` is one JSON list of them. */
  readonly framing?: 'events' | 'list';
  /** Where answers have ids by which a later request may go on from them. */
  readonly thread?: Thread;
}

export interface Thread {
  /** The id of the answer, made by the gateway. */
  readonly answerId: string;
  readonly createdAtMs: number;
  /** The answer is to be kept, so that it can be read and gone on from. */
  readonly keep: boolean;
  /** The kept answer that this request goes on from. */
  readonly previousId: string | null;
}

/** What the client's `cache-control` (or an alias of another gateway) asks for. */
export interface CacheControl {
  readonly noCache: boolean;
  readonly noStore: boolean;
  readonly onlyIfCached: boolean;
  /** Seconds; asking for an age is also the opt-in for answers that are not deterministic. */
  readonly maxAgeSeconds: number | null;
  readonly staleIfErrorSeconds: number | null;
  readonly staleWhileRevalidateSeconds: number | null;
  /** The answer may be cached though it is not deterministic. */
  readonly optIn: boolean;
  /** How long an answer stored for this request is fresh at most. */
  readonly ttlSeconds: number | null;
  /** Part of the key: answers of other namespaces are not given. Empty: none. */
  readonly namespace: string;
}

export const NO_CACHE_CONTROL: CacheControl = {
  noCache: false,
  noStore: false,
  onlyIfCached: false,
  maxAgeSeconds: null,
  staleIfErrorSeconds: null,
  staleWhileRevalidateSeconds: null,
  optIn: false,
  ttlSeconds: null,
  namespace: '',
};
