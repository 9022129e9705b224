/**
 * The error that Google put into a body or an event: `{"error":{code,message,status,details}}`,
 * bare or within a list, with the hints among its details: how long to wait (`RetryInfo`), which
 * quota is used up (`QuotaFailure`), and the reason behind the status (`ErrorInfo`).
 */
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import { objectsOf } from './fields.ts';
import type { ErrorBody } from './types.ts';

/** A longer wait says no more than this one. */
const MAX_WAIT_MS = 7 * 24 * 3_600_000;

/** null where the body names no error. */
export function readError(body: JsonValue | undefined): ErrorBody | null {
  const value = isJsonArray(body) ? body[0] : body;
  if (!isJsonObject(value)) return null;
  const { error } = value;
  if (typeof error === 'string') return errorOfText(error);
  if (!isJsonObject(error)) return null;
  const details = objectsOf(error.details);
  return {
    code: typeof error.code === 'number' ? error.code : null,
    status: text(error.status),
    message: text(error.message),
    reason: text(detailOf(details, 'ErrorInfo')?.reason),
    retryAfterMs: durationMs(detailOf(details, 'RetryInfo')?.retryDelay),
    longQuota: isLong(detailOf(details, 'QuotaFailure')),
  };
}

export function errorOfText(message: string): ErrorBody {
  return {
    ...{ code: null, status: null, reason: null, retryAfterMs: null, longQuota: false },
    message: text(message),
  };
}

function detailOf(details: readonly JsonObject[], name: string): JsonObject | undefined {
  const isNamed = ({ '@type': type }: JsonObject): boolean =>
    typeof type === 'string' && type.endsWith(`google.rpc.${name}`);
  return details.find(isNamed);
}

/** `"34.074824224s"`, or an object of seconds and nanoseconds. */
function durationMs(value: JsonValue | undefined): number | null {
  if (isJsonObject(value)) {
    const seconds = Number(value.seconds ?? 0);
    const nanos = Number(value.nanos ?? 0);
    return bounded(seconds * 1000 + nanos / 1_000_000);
  }
  const match = typeof value === 'string' ? /^(\d{1,9}(?:\.\d{1,9})?)s$/.exec(value) : null;
  return match === null ? null : bounded(Number(match[1]) * 1000);
}

function bounded(ms: number): number | null {
  if (!Number.isFinite(ms) || ms < 0) return null;
  return Math.min(Math.ceil(ms), MAX_WAIT_MS);
}

/** A quota per day does not come back within the wait of one request. */
function isLong(failure: JsonObject | undefined): boolean {
  return objectsOf(failure?.violations).some(({ quotaId }) => /PerDay/i.test(String(quotaId)));
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}
