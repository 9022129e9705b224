/**
 * A collector of traces over real sockets: an OTLP/HTTP server on a free port of this machine
 * that keeps what it is sent, and fails as it is told.
 */
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { until } from '../until.ts';
import { decodeTraces, type Span } from './decode.ts';

/** `take` what comes; `silent`: never answer; else answer so and keep nothing. */
export type Manner = 'take' | 'silent' | { readonly status: number };

export interface Delivery {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Collector {
  /** Without a path: `http://127.0.0.1:port`. */
  readonly url: string;
  /** Everything that was posted, taken or not. */
  readonly deliveries: readonly Delivery[];
  readonly spans: readonly Span[];
  manner: Manner;
  /** The spans of the exchange of this request id, as soon as all of them have come. */
  exchange(requestId: string): Promise<Exchanged>;
  /** Refuses connections from now on. */
  close(): Promise<void>;
}

export interface Exchanged {
  readonly server: Span;
  /** In the order they began. */
  readonly attempts: readonly Span[];
}

export async function startCollector(): Promise<Collector> {
  const collector = new OtlpCollector();
  await collector.listen();
  return collector;
}

class OtlpCollector implements Collector {
  readonly deliveries: Delivery[] = [];
  readonly spans: Span[] = [];
  manner: Manner = 'take';
  url = '';
  readonly #server: Server;

  constructor() {
    this.#server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { url: path = '', headers } = request;
      this.#answer({ path, headers, body: Buffer.concat(chunks) }, response);
    });
  }

  async listen(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  exchange(requestId: string): Promise<Exchanged> {
    return until(`the spans of ${requestId} have come`, () => {
      const server = this.spans.find((span) => span.attributes['esclusa.request_id'] === requestId);
      if (server === undefined) return null;
      const attempts = this.spans
        .filter((span) => span.parentSpanId === server.spanId && span.kind === 3)
        .sort((one, other) => Number(one.startNs - other.startNs));
      return attempts.length === server.attributes['esclusa.attempts']
        ? { server, attempts }
        : null;
    });
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(delivery: Delivery, response: ServerResponse): void {
    this.deliveries.push(delivery);
    if (this.manner === 'silent') return;
    const type = delivery.headers['content-type'] ?? '';
    if (this.manner !== 'take') {
      response.writeHead(this.manner.status).end();
      return;
    }
    // A batch whose answer came too late is sent again.
    const known = new Set(this.spans.map(({ spanId }) => spanId));
    const spans = decodeTraces(type, delivery.body);
    this.spans.push(...spans.filter(({ spanId }) => !known.has(spanId)));
    const body = type === 'application/json' ? '{"partialSuccess":{}}' : '';
    response.writeHead(200, { 'content-type': type }).end(body);
  }
}
