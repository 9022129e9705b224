/** Records of a shared flight as bytes: a letter that says the kind, then what the kind has. */
import { ERROR_CATALOGUE, type ErrorCode, GatewayError } from '../../gateway/model/errors.ts';
import type { FlightHead, FlightRecord } from '../../gateway/ports/shared-flights.ts';

const HEAD = 'h';
const PIECE = 'p';
const PLAIN_END = 'd';
const STREAM_END = 'e';
const FAILED = 'x';

const SEQUENCE_BYTES = 4;
const NO_SEQUENCE = -1;

export function encodeRecord(record: FlightRecord): Buffer {
  switch (record.kind) {
    case 'head':
      return Buffer.from(HEAD + JSON.stringify(record.head));
    case 'piece': {
      const sequence = Buffer.alloc(SEQUENCE_BYTES);
      sequence.writeInt32BE(record.sequence ?? NO_SEQUENCE);
      return Buffer.concat([Buffer.from(PIECE), sequence, record.bytes]);
    }
    case 'end':
      return record.terminal === null
        ? Buffer.from(PLAIN_END)
        : Buffer.concat([Buffer.from(STREAM_END), record.terminal]);
    case 'failed':
      return Buffer.from(FAILED + JSON.stringify(errorFields(record.error)));
  }
}

/** null: not a record of this version. */
export function decodeRecord(bytes: Buffer): FlightRecord | null {
  const rest = bytes.subarray(1);
  switch (bytes.toString('latin1', 0, 1)) {
    case HEAD:
      return { kind: 'head', head: JSON.parse(rest.toString()) as FlightHead };
    case PIECE: {
      const sequence = rest.readInt32BE();
      return {
        kind: 'piece',
        bytes: rest.subarray(SEQUENCE_BYTES),
        sequence: sequence === NO_SEQUENCE ? null : sequence,
      };
    }
    case PLAIN_END:
      return { kind: 'end', terminal: null };
    case STREAM_END:
      return { kind: 'end', terminal: rest };
    case FAILED:
      return { kind: 'failed', error: errorOf(JSON.parse(rest.toString()) as ErrorFields) };
    default:
      return null;
  }
}

interface ErrorFields {
  readonly code: string;
  readonly message: string;
  readonly field: string | null;
  readonly upstreamCode: string | null;
  readonly upstreamType: string | null;
  readonly retryAfterMs: number | null;
  readonly retryable: boolean;
}

function errorFields(error: GatewayError): ErrorFields {
  const { code, message, field, upstreamCode, upstreamType, retryAfterMs, retryable } = error;
  return { code, message, field, upstreamCode, upstreamType, retryAfterMs, retryable };
}

function errorOf({ code, message, retryable, ...rest }: ErrorFields): GatewayError {
  const known = Object.hasOwn(ERROR_CATALOGUE, code) ? (code as ErrorCode) : 'internal_error';
  const { field, upstreamCode, upstreamType, retryAfterMs } = rest;
  return new GatewayError(known, {
    message,
    retryable,
    ...(field === null ? {} : { field }),
    ...(upstreamCode === null ? {} : { upstreamCode }),
    ...(upstreamType === null ? {} : { upstreamType }),
    ...(retryAfterMs === null ? {} : { retryAfterMs }),
  });
}
