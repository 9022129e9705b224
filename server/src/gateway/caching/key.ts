/**
 * The key of a cacheable request: an HMAC over everything that can change its answer or who
 * may see it, so that keys can be neither guessed nor made to meet.
 *
 * 1. The tenant and the route's set of targets are required parts; no caller can leave them
 *    out or widen them. So is how long the route lets an answer be fresh: none is given for
 *    longer because another route to the same targets stored it.
 * 2. Every field of the body counts, unknown ones included, except those named below, also
 *    where another dialect's come to lie in the bag of extensions; the order of members does
 *    not.
 * 3. Of another dialect's request both forms count, and the headers that give it its sense.
 * 4. Another schema version of entries is another key.
 *
 * Requests whose numbers do not survive parsing have no key: `policy.ts` bypasses them.
 */
import { createHmac, createSecretKey } from 'node:crypto';
import { canonicalJson, isJsonObject, type JsonObject, type JsonValue } from '../../kernel/json.ts';
import type { InferenceRequest } from '../model/request.ts';
import type { Route } from '../model/route.ts';

/** To be raised when entries stored before must not be read any more. */
const SCHEMA_VERSION = 4;

/** What names or labels a request, and never changes its answer, each with its reason. */
const LABELS: readonly string[] = [
  'user', // names the end user for the provider's abuse checks; never reaches the model
  'safety_identifier', // successor of `user`
  'prompt_cache_key', // successor of `user`: steers the provider's own prompt cache
  'metadata', // labels of the client, given back when stored answers are listed
];

/** Fields of the body that are not part of a key. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'model', // a name for the route; what answers is in the set of targets
  'stream', // counted as a part of its own, also where the field is absent
  ...LABELS,
]);

export interface CacheKeys {
  /** 43 characters, equal for requests that the same stored answer may serve. */
  keyOf(tenant: string, route: Route, request: InferenceRequest): string;
}

/** `secret` is at least 32 random bytes, the same in every process that shares a cache. */
export function createCacheKeys(secret: Uint8Array): CacheKeys {
  const key = createSecretKey(secret); // once: making it costs ten times the hashing
  return {
    keyOf(tenant, route, request) {
      const { dialect, operation, stream, body, foreign, cacheControl } = request;
      const { targetSet, cache } = route;
      const scope = [tenant, cacheControl.namespace, targetSet, cache.ttlSeconds];
      const parts = [SCHEMA_VERSION, ...scope, dialect, operation, stream];
      let text = `${canonicalJson(parts)}${fieldsOf(body)}`;
      if (foreign !== undefined) {
        text += fieldsOf(foreign.body) + canonicalJson([foreign.headers, foreign.framing ?? null]);
      }
      return createHmac('sha256', key).update(text).digest('base64url');
    },
  };
}

function fieldsOf(body: JsonObject): string {
  return canonicalJson(isJsonObject(body.esclusa) ? inBag(body, body.esclusa) : body, LEFT_OUT);
}

/** Labels of another dialect lie with what only its vendors understand. */
function inBag(body: JsonObject, bag: JsonObject): JsonObject {
  if (!isJsonObject(bag.vendor)) return body;
  const vendors = Object.entries(bag.vendor).map(([name, fields]) =>
    isJsonObject(fields) ? ([name, without(fields, LABELS)] as const) : ([name, fields] as const),
  );
  const vendor = Object.fromEntries(vendors.filter(([, fields]) => !isEmpty(fields)));
  const rest = isEmpty(vendor) ? without(bag, ['vendor']) : { ...bag, vendor };
  return isEmpty(rest) ? without(body, ['esclusa']) : { ...body, esclusa: rest };
}

function without(fields: JsonObject, names: readonly string[]): JsonObject {
  const rest = { ...fields };
  for (const name of names) delete rest[name];
  return rest;
}

function isEmpty(value: JsonValue | undefined): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}
