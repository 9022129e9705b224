/**
 * Signatures of AWS, version 4, for requests to storages that speak S3: a pure function of the
 * request, the credentials and the time.
 *
 * Only what is needed here: requests whose body is known and whose path and query are written
 * as the signature wants them (encoded, the query sorted).
 */
import { createHash, createHmac } from 'node:crypto';

export interface SigningKey {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly region: string;
  readonly service: string;
}

export interface SignedRequest {
  readonly method: string;
  /** With the port where it is not that of the scheme. */
  readonly host: string;
  /** Encoded, with a leading slash. */
  readonly path: string;
  /** Encoded and sorted, without the question mark; empty where there is none. */
  readonly query: string;
  readonly body: Uint8Array;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const TERMINATOR = 'aws4_request';

/** The headers that sign a request; `host` is not among them: the connection sends it. */
export function signV4(
  request: SignedRequest,
  key: SigningKey,
  nowMs: number,
): Readonly<Record<string, string>> {
  const instant = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = instant.slice(0, 8);
  const bodyHash = sha256(request.body);
  const signed = 'host;x-amz-content-sha256;x-amz-date';
  const canonical = [
    request.method,
    request.path,
    request.query,
    `host:${request.host}`,
    `x-amz-content-sha256:${bodyHash}`,
    `x-amz-date:${instant}`,
    '',
    signed,
    bodyHash,
  ].join('\n');
  const scope = `${day}/${key.region}/${key.service}/${TERMINATOR}`;
  const text = [ALGORITHM, instant, scope, sha256(canonical)].join('\n');
  const parts = [day, key.region, key.service, TERMINATOR];
  const signingKey = parts.reduce<string | Buffer>(
    (secret, part) => hmac(secret, part),
    `AWS4${key.secretAccessKey}`,
  );
  const signature = hmac(signingKey, text).toString('hex');
  const credential = `Credential=${key.accessKeyId}/${scope}`;
  return {
    'x-amz-date': instant,
    'x-amz-content-sha256': bodyHash,
    authorization: `${ALGORITHM} ${credential}, SignedHeaders=${signed}, Signature=${signature}`,
  };
}

function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
