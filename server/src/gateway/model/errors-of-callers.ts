/**
 * Errors whose cause lies with the caller: the request, the credential, the limits and the
 * money. The other half of the catalogue stands in `errors-of-service.ts`.
 */
import { type ErrorRow, row } from './error-row.ts';

export const CALLER_ERRORS = {
  // The request itself
  body_not_json: row(
    400,
    false,
    'The body is not valid JSON.',
    'Send one JSON object; the message says where parsing stopped.',
  ),
  body_not_utf8: row(400, false, 'The body is not valid UTF-8.', 'Encode the body as UTF-8.'),
  body_too_deep: row(
    400,
    false,
    'The JSON body nests deeper than allowed.',
    'Flatten the body, or raise `max_json_depth`.',
  ),
  body_too_large: row(
    413,
    false,
    'The body is larger than `max_body_bytes`.',
    'Send less, or raise `max_body_bytes`.',
  ),
  content_type_unsupported: row(
    415,
    false,
    'The body is not sent as application/json.',
    'Send `content-type: application/json`.',
  ),
  content_encoding_unsupported: row(
    415,
    false,
    'Compressed request bodies are not accepted.',
    'Send the body uncompressed.',
  ),
  invalid_request: row(
    400,
    false,
    'A field is missing, of the wrong type or out of range.',
    'Correct the field that `param` (or `field`) names.',
  ),
  duplicate_field: row(
    400,
    false,
    'A field appears twice in the outermost object.',
    'Send each field once; parsers disagree on which one counts.',
  ),
  duplicate_header: row(
    400,
    false,
    'A header that must be single was sent twice.',
    'Send the header once.',
  ),
  header_invalid: row(
    400,
    false,
    'A header has a value that is not accepted.',
    'Correct the header that is named.',
  ),
  headers_too_large: row(
    431,
    false,
    'The headers are larger than 32 KiB.',
    'Send fewer or shorter headers.',
  ),
  http_malformed: row(
    400,
    false,
    'The bytes are not valid HTTP.',
    'Look for a proxy or client that breaks HTTP/1.1.',
  ),
  request_timeout: row(
    408,
    true,
    'The request was not received in time.',
    'Send headers and body faster; look for a stalled network.',
  ),
  not_found: row(
    404,
    false,
    'There is nothing at this path.',
    'Check the path and the base URL of the client (`…/v1`).',
  ),
  endpoint_not_offered: row(
    404,
    false,
    'The vendor has this endpoint, the gateway does not.',
    'The message says what to do instead; the endpoints there are stand in `/openapi.json`.',
  ),
  method_not_allowed: row(
    405,
    false,
    'The path exists, but not for this method.',
    'Use a method that the `allow` header lists.',
  ),
  field_not_supported: row(
    422,
    false,
    'The chosen target cannot honour a field.',
    'Leave the field out, or choose another model.',
  ),
  conflict: row(
    409,
    false,
    'The resource exists already or changed meanwhile.',
    'Read the resource again and repeat the change.',
  ),
  idempotency_key_reused: row(
    422,
    false,
    'This `Idempotency-Key` was used for another request.',
    'Send a new key with every new request; repeat a key with the same body only.',
  ),
  idempotency_in_flight: row(
    409,
    true,
    'The request with this `Idempotency-Key` is still running.',
    'Wait as long as `retry-after` says, then send the same request again.',
  ),
  previous_response_not_found: row(
    404,
    false,
    'The response that the request goes on from is not kept here.',
    'Send the whole conversation instead; kept responses end by age or deletion.',
  ),
  cursor_invalid: row(
    400,
    false,
    'The page cursor was changed or is not ours.',
    'Start again without a cursor.',
  ),
  // Who is calling
  credentials_missing: row(
    401,
    false,
    'No API key was sent.',
    'Send `Authorization: Bearer <key>`.',
  ),
  credentials_invalid: row(
    401,
    false,
    'The API key or token is unknown, revoked, expired or malformed.',
    'Check that it was copied whole and was not revoked; sign in again, or refresh the token.',
  ),
  credentials_expired: row(401, false, 'The API key has expired.', 'Create a new key.'),
  credentials_throttled: row(
    429,
    true,
    'Too many credentials that are not known here came from this address.',
    'Check the key or token; a good one works at once, also from this address.',
  ),
  sign_in_refused: row(
    401,
    false,
    'Address and password do not belong together, or the account is closed.',
    'Check both; the answer is the same whichever is wrong.',
  ),
  sign_in_throttled: row(
    429,
    true,
    'There were too many sign-ins that failed.',
    'Wait as long as `retry-after` says.',
  ),
  refresh_refused: row(
    401,
    false,
    'The refresh token is unknown, used, expired or revoked.',
    'Sign in again.',
  ),
  invitation_invalid: row(
    403,
    false,
    'Registration is by invitation, and this one is unknown, used, expired or for another address.',
    'Ask an administrator for an invitation.',
  ),
  single_sign_on_refused: row(
    401,
    false,
    'The issuer did not confirm the sign-in, or the account cannot be used here.',
    'Begin again; ask an administrator if it lasts.',
  ),
  single_sign_on_unavailable: row(
    503,
    true,
    'The issuer of the single sign-on does not answer.',
    'Try again; check `auth.oidc_issuer` if it lasts.',
  ),
  password_too_weak: row(
    422,
    false,
    'The password breaks a rule, or is one of the commonest.',
    'Choose another as the message says; longer is better.',
  ),
  address_not_allowed: row(
    403,
    false,
    'The key may not be used from this address.',
    'Call from a network of the key, or have the network added to it.',
  ),
  tenant_suspended: row(
    403,
    false,
    'The tenant of this credential is suspended.',
    'Ask whoever runs the gateway.',
  ),
  tenant_mismatch: row(
    403,
    false,
    'The credential belongs to another tenant than the host that was called.',
    'Call the host of the credential’s own tenant, or one that belongs to no tenant.',
  ),
  credentials_conflicting: row(
    400,
    false,
    'Two different credentials were sent.',
    'Send one credential in one header.',
  ),
  credentials_in_query: row(
    400,
    false,
    'Credentials were sent in the query string.',
    'Put the key in a header; addresses end up in logs.',
  ),
  permission_denied: row(
    403,
    false,
    'The principal may not do this.',
    'Use a key whose role may do this.',
  ),
  model_not_allowed: row(
    403,
    false,
    'The API key may not use this model.',
    'Choose a model of the key, or have it allowed.',
  ),
  identity_unavailable: row(
    503,
    true,
    'The key cannot be checked at the moment.',
    'Try again; the key itself may be good.',
  ),
  // What may be spent
  rate_limited: row(
    429,
    true,
    'A limit of requests or tokens per minute is used up.',
    'Wait as long as `retry-after` says, or raise the limit of the key.',
  ),
  concurrency_limited: row(
    429,
    true,
    'Too many requests of this key are running.',
    'Run fewer requests at once, or raise the limit of the key.',
  ),
  overloaded: row(
    529,
    true,
    'The process is full, and the request could not wait, or waited in vain.',
    'Try again after `retry-after`; add processes if it lasts.',
  ),
  budget_exceeded: row(
    402,
    false,
    'The budget does not cover this request.',
    'Lower `max_tokens`, wait for the period to renew, or raise the budget.',
  ),
  budget_unavailable: row(
    503,
    true,
    'The budget counter is being rebuilt.',
    'Try again; the counter is rebuilt from the ledger.',
  ),
  price_unknown: row(
    403,
    false,
    'The model has no price, so a budget cannot cover it.',
    'Set `models.<alias>.price` in the configuration.',
  ),
} as const satisfies Record<string, ErrorRow>;
