/**
 * What a collector reads: an OTLP request for traces, from protobuf or JSON, by the numbers and
 * names of `opentelemetry/proto/trace/v1/trace.proto`. Written from the specification, so that
 * what is exported is judged by something other than the library that wrote it.
 */
import assert from 'node:assert/strict';

export type Value = string | number | boolean;

export interface SpanEvent {
  readonly name: string;
  readonly timeNs: bigint;
}

export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  /** '' where it has none. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startNs: bigint;
  readonly endNs: bigint;
  readonly attributes: Readonly<Record<string, Value>>;
  readonly events: readonly SpanEvent[];
  /** 0 unset, 2 error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, Value>>;
}

export function decodeTraces(contentType: string, body: Buffer): Span[] {
  if (contentType === 'application/x-protobuf') return fromProtobuf(body);
  assert.equal(contentType, 'application/json');
  return fromJson(JSON.parse(body.toString('utf8')) as JsonRequest);
}

type Field = bigint | Buffer;
type Message = ReadonlyMap<number, readonly Field[]>;

function fromProtobuf(body: Buffer): Span[] {
  return all(read(body), 1).flatMap((resourceSpans) => {
    const [resource] = all(resourceSpans, 1);
    const about = resource === undefined ? {} : attributesOf(resource, 1);
    return all(resourceSpans, 2).flatMap((scope) =>
      all(scope, 2).map((span) => ({
        traceId: hex(span, 1),
        spanId: hex(span, 2),
        parentSpanId: hex(span, 4),
        name: text(span, 5),
        kind: Number(one(span, 6) ?? 0n),
        startNs: BigInt(number(span, 7)),
        endNs: BigInt(number(span, 8)),
        attributes: attributesOf(span, 9),
        events: all(span, 11).map((event) => ({
          name: text(event, 2),
          timeNs: BigInt(number(event, 1)),
        })),
        status: Number(one(all(span, 15)[0] ?? new Map(), 3) ?? 0n),
        resource: about,
      })),
    );
  });
}

/** Fields by number; fixed numbers and varints as bigint, all else as bytes. */
function read(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at];
      assert.ok(byte !== undefined, 'a number is cut off');
      at += 1;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  const take = (length: number): Buffer => {
    assert.ok(at + length <= bytes.length, 'a field is cut off');
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [field, wire] = [tag >>> 3, tag & 7];
    const value = readField(wire, varint, take);
    fields.set(field, [...(fields.get(field) ?? []), value]);
  }
  return fields;
}

function readField(wire: number, varint: () => bigint, take: (length: number) => Buffer): Field {
  if (wire === 0) return varint();
  if (wire === 1) return take(8).readBigUInt64LE();
  if (wire === 2) return take(Number(varint()));
  assert.equal(wire, 5, 'a wire type that does not exist');
  return BigInt(take(4).readUInt32LE());
}

function one(message: Message, field: number): Field | undefined {
  return message.get(field)?.at(-1);
}

function all(message: Message, field: number): Message[] {
  return (message.get(field) ?? []).map((value) => read(value as Buffer));
}

function number(message: Message, field: number): bigint {
  const value = one(message, field);
  assert.equal(typeof value, 'bigint', `field ${field} is a number`);
  return value as bigint;
}

function text(message: Message, field: number): string {
  return ((one(message, field) as Buffer | undefined) ?? Buffer.alloc(0)).toString('utf8');
}

function hex(message: Message, field: number): string {
  return ((one(message, field) as Buffer | undefined) ?? Buffer.alloc(0)).toString('hex');
}

function attributesOf(message: Message, field: number): Record<string, Value> {
  const pairs = all(message, field).map((pair): [string, Value] => {
    const [value = new Map()] = all(pair, 2);
    return [text(pair, 1), readValue(value)];
  });
  return Object.fromEntries(pairs);
}

function readValue(value: Message): Value {
  if (value.has(1)) return text(value, 1);
  if (value.has(2)) return number(value, 2) === 1n;
  if (value.has(3)) return Number(BigInt.asIntN(64, number(value, 3)));
  const bits = Buffer.alloc(8);
  bits.writeBigUInt64LE(number(value, 4));
  return bits.readDoubleLE();
}

interface JsonPair {
  readonly key: string;
  readonly value: {
    readonly stringValue?: string;
    readonly boolValue?: boolean;
    readonly intValue?: number | string;
    readonly doubleValue?: number;
  };
}

interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonPair[];
  readonly events: readonly { readonly name: string; readonly timeUnixNano: string }[];
  readonly status: { readonly code: number };
}

interface JsonRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonPair[] };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

function fromJson({ resourceSpans }: JsonRequest): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: span.kind,
        startNs: BigInt(span.startTimeUnixNano),
        endNs: BigInt(span.endTimeUnixNano),
        attributes: fromPairs(span.attributes),
        events: span.events.map((event) => ({
          name: event.name,
          timeNs: BigInt(event.timeUnixNano),
        })),
        status: span.status.code,
        resource: fromPairs(resource.attributes),
      })),
    ),
  );
}

function fromPairs(pairs: readonly JsonPair[]): Record<string, Value> {
  return Object.fromEntries(
    pairs.map(({ key, value }) => [
      key,
      value.stringValue ??
        value.boolValue ??
        value.doubleValue ??
        (value.intValue === undefined ? '' : Number(value.intValue)),
    ]),
  );
}
