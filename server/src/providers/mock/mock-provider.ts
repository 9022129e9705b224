/**
 * The mock as a provider would be seen from outside: a request on OpenAI's wire in, the head
 * and the pieces of an answer out, with the waits and faults that the model's name scripts.
 *
 * It sends nothing and waits for nothing: whoever plays the answer does, in memory or over
 * sockets. It keeps one thing between calls: how often each model was called, for the scripts
 * that fail their first calls, of at most `MAX_COUNTED_MODELS` models.
 */
import type { Clock } from '../../kernel/clock.ts';
import { isJsonObject, type JsonObject, parseJson } from '../../kernel/json.ts';
import type { Random } from '../../kernel/random.ts';
import {
  type RequestFacts,
  type RequestOperation,
  readRequest,
} from '../../wire/openai/read-request.ts';
import { answerChat, answerCompletion } from './answer.ts';
import { checkEmbedding, encodeEmbeddings } from './embedding.ts';
import {
  type AnswerHead,
  chatEvents,
  completionEvents,
  encodeChat,
  encodeCompletion,
} from './encode-bodies.ts';
import { errorForStatus, errorWithinAnswer, refusal } from './error-bodies.ts';
import { type BodyFault, bodyFault, faultyBody, faultyStream, type MockPiece } from './faults.ts';
import { type MockModel, type MockScript, readModelScript } from './model-script.ts';
import type { MockConnection } from './settings.ts';
import { countTokens } from './tokens.ts';

export interface MockRequest {
  /** Below the base URL: `/chat/completions`. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Options that stand in for those of the model's name: `ttft=500ms,cut=3`. */
  readonly options?: string;
}

export interface MockResponse {
  /** Wait before the head, in milliseconds. */
  readonly headDelayMs: number;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** In order, made as they are asked for; read once. Their end is the end of the body. */
  readonly pieces: Iterable<MockPiece>;
}

export interface MockParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly connection: MockConnection;
}

interface ReadCall {
  readonly operation: RequestOperation;
  readonly body: JsonObject;
  readonly facts: RequestFacts;
  readonly model: MockModel;
}

const MAX_COUNTED_MODELS = 1_000;
/** Text that one answer may hold, over all its choices. */
const MAX_ANSWER_TOKENS = 1_000_000;
const USUAL_TOKENS = 200;
const ID_BYTES = 12;

const OPERATIONS: Readonly<Record<string, RequestOperation>> = {
  '/chat/completions': 'chat',
  '/completions': 'completion',
  '/embeddings': 'embedding',
};

export class MockProvider {
  readonly #parts: MockParts;
  readonly #calls = new Map<string, number>();

  constructor(parts: MockParts) {
    this.#parts = parts;
  }

  respond(request: MockRequest): MockResponse {
    const call = readCall(request);
    if ('problem' in call) {
      return this.#json(call.status, refusal(call.problem, call.field), faultFree(0));
    }
    const failing = this.#fails(call);
    const { script } = call.model;
    const fault = failing ? bodyFault(script) : null;
    const status = failing
      ? (script.status ?? (fault === null ? failureStatus(script) : null))
      : null;
    if (status !== null && status !== 200) return this.#failure(status, script, request);
    return this.#answer(call, fault);
  }

  /** Counts the call, and decides whether the script's faults strike this time. */
  #fails({ facts, model: { script } }: ReadCall): boolean {
    if (script.fail === null && script.failRate === null) return true;
    const before = this.#calls.get(facts.model) ?? 0;
    this.#calls.delete(facts.model);
    this.#calls.set(facts.model, before + 1);
    const oldest = this.#calls.keys().next().value;
    if (this.#calls.size > MAX_COUNTED_MODELS && oldest !== undefined) this.#calls.delete(oldest);
    if (script.fail !== null && before < script.fail) return true;
    return script.failRate !== null && this.#parts.random.float() < script.failRate;
  }

  #failure(status: number, script: MockScript, request: MockRequest): MockResponse {
    const delayMs = this.#wait(script, script.latencyMs);
    if (status === 204 || status === 304) {
      return { headDelayMs: delayMs, status, headers: this.#headers({}), pieces: [] };
    }
    const text =
      status < 400 ? '{}' : errorForStatus(status, script, request.headers.authorization ?? '');
    const hints: Record<string, string> = {};
    if (status > 300 && status < 400) hints.location = 'https://redirected.invalid/v1';
    if (script.retryAfterSeconds !== null) hints['retry-after'] = String(script.retryAfterSeconds);
    if (script.retryAfterMs !== null) hints['retry-after-ms'] = String(script.retryAfterMs);
    if (script.retryAfterDateSeconds !== null) {
      const atMs = this.#parts.clock.wallMs() + script.retryAfterDateSeconds * 1000;
      hints['retry-after'] = new Date(atMs).toUTCString();
    }
    return this.#json(status, text, faultFree(delayMs), hints);
  }

  #answer(call: ReadCall, fault: BodyFault | null): MockResponse {
    const { script } = call.model;
    const { model, stream, includeUsage } = call.facts;
    const head: AnswerHead = {
      id: Buffer.from(this.#parts.random.bytes(ID_BYTES)).toString('hex'),
      createdSeconds: Math.floor(this.#parts.clock.wallMs() / 1000),
      model,
    };
    const form = { includeUsage: includeUsage && script.usage, done: script.done };
    if (call.operation === 'embedding') {
      const headDelayMs = this.#headDelay(script, 0);
      return this.#plain(encodeEmbeddings(head, call.body), script, { headDelayMs, fault });
    }
    const chat = call.operation === 'chat';
    const answer = (chat ? answerChat : answerCompletion)(call.model, call.facts, call.body);
    if (stream) {
      const events = (chat ? chatEvents : completionEvents)(head, answer, form);
      return this.#stream(events, script, fault);
    }
    const headDelayMs = this.#headDelay(script, answer.usage.completionTokens);
    const body = (chat ? encodeChat : encodeCompletion)(head, answer);
    return this.#plain(body, script, { headDelayMs, fault });
  }

  #plain(body: JsonObject, script: MockScript, how: PlainForm): MockResponse {
    const { usage, ...rest } = body;
    const text = JSON.stringify(script.usage ? { ...rest, usage } : rest);
    return this.#json(200, text, how, {}, errorWithinAnswer(script));
  }

  #stream(events: Iterable<string>, script: MockScript, fault: BodyFault | null): MockResponse {
    const { connection } = this.#parts;
    const firstMs = script.firstTokenMs ?? connection.firstTokenDelayMs;
    const waitMs = (event: string, index: number): number => {
      if (index === 0) return this.#wait(script, firstMs);
      if (script.tokensPerSecond === null) return this.#wait(script, connection.tokenDelayMs);
      return this.#wait(script, (pieceTokens(event) * 1000) / script.tokensPerSecond);
    };
    return {
      headDelayMs: this.#wait(script, script.latencyMs),
      status: 200,
      headers: this.#headers({ 'content-type': 'text/event-stream; charset=utf-8' }),
      pieces: faultyStream(events, fault, errorWithinAnswer(script), waitMs),
    };
  }

  #json(
    status: number,
    text: string,
    how: PlainForm,
    hints: Readonly<Record<string, string>> = {},
    errorText = '',
  ): MockResponse {
    return {
      headDelayMs: how.headDelayMs,
      status,
      headers: this.#headers({ 'content-type': 'application/json', ...hints }),
      pieces: faultyBody(text, how.fault, errorText),
    };
  }

  #headers(more: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const id = Buffer.from(this.#parts.random.bytes(ID_BYTES)).toString('hex');
    return {
      date: new Date(this.#parts.clock.wallMs()).toUTCString(),
      'x-request-id': `mock_${id}`,
      ...more,
    };
  }

  /** A plain answer comes when all of it is there. */
  #headDelay(script: MockScript, tokens: number): number {
    const { connection } = this.#parts;
    const firstMs = script.firstTokenMs ?? connection.firstTokenDelayMs;
    const perTokenMs =
      script.tokensPerSecond === null ? connection.tokenDelayMs : 1000 / script.tokensPerSecond;
    return this.#wait(script, script.latencyMs + firstMs + tokens * perTokenMs);
  }

  #wait(script: MockScript, ms: number): number {
    return script.jitterMs === 0 ? ms : ms + this.#parts.random.float() * script.jitterMs;
  }
}

interface PlainForm {
  readonly headDelayMs: number;
  readonly fault: BodyFault | null;
}

function faultFree(headDelayMs: number): PlainForm {
  return { headDelayMs, fault: null };
}

/** A script that fails some calls without saying how. */
function failureStatus(script: MockScript): number | null {
  return script.fail === null && script.failRate === null ? null : 500;
}

type Refused = { readonly status: number; readonly problem: string; readonly field: string | null };

function readCall(request: MockRequest): ReadCall | Refused {
  const operation = Object.hasOwn(OPERATIONS, request.path) ? OPERATIONS[request.path] : undefined;
  if (operation === undefined) {
    return { status: 404, problem: `Unknown request URL: POST ${request.path}.`, field: null };
  }
  const body = parseJson(request.body.toString('utf8'));
  if (!isJsonObject(body)) {
    return { status: 400, problem: 'The body is not a JSON object.', field: null };
  }
  const read = readRequest(operation, body);
  if (read.kind === 'refused') return refused(read.problem);
  const name = read.facts.model;
  const given = request.options === undefined ? name : `${name.split(':')[0]}:${request.options}`;
  const model = readModelScript(given);
  if ('problem' in model) return refused({ message: model.problem, field: 'model' });
  const tokens = read.facts.choices * (model.script.tokens ?? USUAL_TOKENS);
  if (tokens > MAX_ANSWER_TOKENS) {
    return refused({ message: 'The mock does not give that many answers at once.', field: 'n' });
  }
  const problem = operation === 'embedding' ? checkEmbedding(body) : null;
  if (problem !== null) return refused(problem);
  return { operation, body, facts: read.facts, model };
}

function refused({ message, field }: { message: string; field: string }): Refused {
  return { status: 400, problem: message, field };
}

/** Tokens of the text in one event, at least one: what a pace in tokens counts. */
function pieceTokens(event: string): number {
  const text = /"(?:content|reasoning_content|arguments|text)":("(?:[^"\\]|\\.)*")/.exec(
    event,
  )?.[1];
  return Math.max(1, countTokens(text === undefined ? '' : text.slice(1, -1)));
}
