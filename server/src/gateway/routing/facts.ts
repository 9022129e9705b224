/**
 * What is known of a request when it is routed: who asks, what it needs, and the labels it
 * carries. Conditions, sticky targets and the filter of capabilities read it here and nowhere
 * else. Everything is worked out when it is first asked for.
 */
import { isJsonArray, isJsonObject, type JsonValue } from '../../kernel/json.ts';
import type { RawHeaders } from '../model/exchange.ts';
import type { Principal } from '../model/principal.ts';
import type { InferenceRequest } from '../model/request.ts';

export interface Asked {
  readonly request: InferenceRequest;
  readonly principal: Principal | null;
  readonly headers: RawHeaders;
}

const YES = /^(?:true|1|yes|on)$/i;

export class RequestFacts {
  readonly request: InferenceRequest;
  /** Estimated. */
  readonly inputTokens: number;
  readonly #principal: Principal | null;
  readonly #headers: RawHeaders;
  #parts: ReadonlySet<string> | null = null;

  constructor({ request, principal, headers }: Asked, inputTokens: number) {
    this.request = request;
    this.inputTokens = inputTokens;
    this.#principal = principal;
    this.#headers = headers;
  }

  get tenant(): string | null {
    return this.#principal?.tenant ?? null;
  }

  get key(): string | null {
    return this.#principal?.keyId ?? null;
  }

  /** A budget has to cover the request. */
  get isBudgeted(): boolean {
    return (this.#principal?.budget ?? null) !== null;
  }

  get user(): string | null {
    const { user, safety_identifier } = this.request.body;
    return textOf(user) ?? textOf(safety_identifier);
  }

  /** The first header of this lower-case name. */
  header(name: string): string | null {
    for (let i = 0; i + 1 < this.#headers.length; i += 2) {
      const sent = this.#headers[i] as string;
      if (sent.length === name.length && sent.toLowerCase() === name) {
        return this.#headers[i + 1] as string;
      }
    }
    return null;
  }

  /** The client wants the first target's answer or none. */
  get declinesFallback(): boolean {
    return YES.test(this.header('x-no-fallback') ?? '');
  }

  metadata(name: string): string | null {
    const { metadata } = this.request.body;
    if (!isJsonObject(metadata) || !Object.hasOwn(metadata, name)) return null;
    return textOf(metadata[name]);
  }

  get hasTools(): boolean {
    const { tools, functions } = this.request.body;
    return isFilled(tools) || isFilled(functions);
  }

  get hasImages(): boolean {
    return this.#partTypes().has('image_url');
  }

  get hasFiles(): boolean {
    return this.#partTypes().has('file');
  }

  get hasJsonSchema(): boolean {
    const { response_format } = this.request.body;
    return isJsonObject(response_format) && response_format.type === 'json_schema';
  }

  #partTypes(): ReadonlySet<string> {
    this.#parts ??= partTypesOf(this.request.body.messages);
    return this.#parts;
  }
}

function isFilled(value: JsonValue | undefined): boolean {
  return isJsonArray(value) && value.length > 0;
}

/** Labels are texts; a number or a truth value is read as the text it would be. */
function textOf(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

function partTypesOf(messages: JsonValue | undefined): ReadonlySet<string> {
  const types = new Set<string>();
  if (!isJsonArray(messages)) return types;
  for (const message of messages) {
    const content = isJsonObject(message) ? message.content : undefined;
    if (!isJsonArray(content)) continue;
    for (const part of content) {
      if (isJsonObject(part) && typeof part.type === 'string') types.add(part.type);
    }
  }
  return types;
}
