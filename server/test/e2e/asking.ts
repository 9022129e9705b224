/**
 * One request as a test sees it from every side: what the client got, byte for byte and as
 * events, and what the ledger says of it.
 */
import assert from 'node:assert/strict';
import { createParser } from 'eventsource-parser';
import { ADMIN_KEY, type TestGateway } from '../support/gateway.ts';
import { type LedgerRow, rowOf } from './surroundings.ts';

export interface WireError {
  readonly code: string;
  readonly type: string;
  readonly message: string;
  readonly request_id: string;
}

export interface Asked {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The data of every complete event of a stream, in order. */
  readonly events: readonly string[];
  /** The text that the chunks of a stream carry. */
  readonly said: string;
  /** Of the body, or of the last event; null where there is none. */
  readonly error: WireError | null;
  /** A stream that ended with its end marker, blank line and all. */
  readonly done: boolean;
  readonly tookMs: number;
  readonly row: LedgerRow;
}

export interface Asking {
  readonly model: string;
  readonly stream?: boolean;
  readonly key?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Further fields of the body. */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Asks for a chat, reads the answer to its end and looks its row up. */
export async function ask(gateway: TestGateway, asking: Asking): Promise<Asked> {
  const { model, stream = false, key = ADMIN_KEY, headers = {}, body = {} } = asking;
  const startedMs = performance.now();
  const content = 'Say hello.';
  const response = await gateway.chat(
    { model, stream, messages: [{ role: 'user', content }], ...body },
    key,
    { headers },
  );
  const text = await response.text();
  const tookMs = performance.now() - startedMs;
  const events = stream && response.status === 200 ? eventsOf(text) : [];
  return {
    status: response.status,
    headers: response.headers,
    text,
    events,
    said: events.map(pieceOf).join(''),
    error: errorIn(response.status === 200 ? events.at(-1) : text),
    done: /data: \[DONE\](?:\n\n|\r\n\r\n|\r\r)$/.test(text),
    tookMs,
    row: await rowOf(gateway, response.headers.get('x-request-id')),
  };
}

/** The data of every complete event, in order; a comment is none. */
export function eventsOf(text: string): string[] {
  const events: string[] = [];
  const parser = createParser({ onEvent: (event) => events.push(event.data) });
  parser.feed(text);
  return events;
}

/** A stream that broke behind its first piece ended legally, and was booked as it was. */
export function assertBroken(asked: Asked, code: string): void {
  const { row, error } = asked;
  assert.equal(asked.status, 200, lastOf(asked));
  assert.equal(error?.code, code, lastOf(asked));
  assert.ok(asked.text.endsWith('\n\n'), 'the last event has its blank line');
  assert.ok(!asked.text.includes('[DONE]'), 'no end marker');
  assert.ok(!asked.events.some((data) => data.includes('"finish_reason":"')), 'no finish reason');
  assert.deepEqual([row.outcome, row.error_code, row.attempts], ['failed', code, 1]);
}

/** An answer that failed before its first piece is an error of its own, and booked as such. */
export function assertFailed(asked: Asked, status: number, code: string): void {
  const { row, error } = asked;
  assert.equal(asked.status, status, lastOf(asked));
  assert.equal(asked.headers.get('content-type'), 'application/json');
  assert.equal(error?.code, code, lastOf(asked));
  assert.equal(error?.request_id, row.id);
  assert.deepEqual([row.outcome, row.error_code, row.status], ['failed', code, status]);
}

/** For messages of assertions. */
function lastOf({ text }: Asked): string {
  return `the answer ends with ${JSON.stringify(text.slice(-400))}`;
}

function errorIn(text: string | undefined): WireError | null {
  if (text === undefined || !text.startsWith('{')) return null;
  return (JSON.parse(text) as { error?: WireError }).error ?? null;
}

function pieceOf(data: string): string {
  if (!data.startsWith('{')) return '';
  const chunk = JSON.parse(data) as { choices?: { delta?: { content?: string } }[] };
  return chunk.choices?.[0]?.delta?.content ?? '';
}
