/**
 * What the core needs from a provider: pure translation between the canonical form and the
 * provider's wire. An adapter does no I/O and keeps nothing between calls; a stream decoder
 * keeps the state of one stream.
 */
import type { PlainAnswer, StreamFrame } from '../model/answer.ts';
import type { GatewayError } from '../model/errors.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Target, Wire } from '../model/target.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

export interface ProviderCall {
  readonly request: InferenceRequest;
  readonly target: Target;
}

export interface EncodedRequest extends UpstreamRequest {
  /** Fields of the client that the provider's wire cannot carry: `messages[0].name`. */
  readonly dropped?: readonly string[];
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ProviderAdapter {
  /** The wire the provider speaks; bytes pass through where the client speaks it too. */
  readonly dialect: Wire;
  /** The wire that this request is answered in, where it may be another one. */
  wireOf?(request: InferenceRequest): Wire;
  /** Answers `count_tokens`; without it the gateway estimates. */
  readonly countsTokens?: boolean;
  /**
   * Throws `field_not_supported` for what the provider cannot honour and the client would miss;
   * what it may leave out is named in `dropped`.
   */
  encode(call: ProviderCall): EncodedRequest;
  /**
   * Reads a 2xx answer; throws `upstream_invalid` for what is no answer. Its `body` is canonical
   * where the client speaks another dialect than the provider.
   */
  decodeAnswer(call: ProviderCall, head: ResponseHead, bytes: Buffer): PlainAnswer;
  /** Throws `upstream_invalid` when the head is not that of a stream. */
  createStreamDecoder(call: ProviderCall, head: ResponseHead): StreamDecoder;
  /** Asks for the list of models, which costs nothing and is refused where the key is wrong. */
  probe(): UpstreamRequest;
  /** Classifies any other answer; keeps the provider's code, drops its secrets. */
  decodeError(head: ResponseHead, bytes: Buffer): GatewayError;
}

export interface StreamDecoder {
  /**
   * Takes the next bytes; null when they complete no event. Throws `upstream_invalid`
   * (garbled), `upstream_too_long`, or the provider's own error sent inside the stream.
   */
  push(chunk: Buffer): StreamFrame | null;
  /**
   * The body ended. Returns the terminal frame where the provider left it out but the answer
   * was complete; null where it was sent before; throws `upstream_truncated` otherwise.
   */
  end(): StreamFrame | null;
}

/** One of several keys that calls of a provider take turns with. */
export interface ProviderKey {
  /** Tells it from every other key, also after a reload; reveals nothing of it. */
  readonly id: string;
  /** Its place in the configuration, from 1: what people are told. */
  readonly name: string;
  /** Encodes with this key. */
  readonly adapter: ProviderAdapter;
}

export interface Provider {
  /** Encodes with the first key. */
  readonly adapter: ProviderAdapter;
  readonly upstream: Upstream;
  /** Absent where there is only one, or none. */
  readonly keys?: readonly ProviderKey[];
}

/** Providers by their name in the configuration, of the generation in force. */
export interface Providers {
  get(name: string): Provider | undefined;
}
