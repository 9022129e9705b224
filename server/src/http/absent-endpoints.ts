/**
 * Endpoints that client packages have methods for and the gateway does not offer: which they are,
 * and what to do instead. Any other path is simply not there.
 */
export interface AbsentEndpoint {
  /** As the vendor's document writes it. */
  readonly path: string;
  readonly instead: string;
}

export const ABSENT_ENDPOINTS: readonly AbsentEndpoint[] = [
  {
    path: '/v1/responses/{id}/cancel',
    instead:
      'No response runs in the background here. One that is being streamed ends when its client ' +
      'closes the connection.',
  },
  {
    path: '/v1/responses/compact',
    instead:
      'Conversations are not compacted here. Send the part that matters as `input`, or go on ' +
      'from a kept response by `previous_response_id`.',
  },
];

const PATTERNS = ABSENT_ENDPOINTS.map(({ path, instead }) => ({
  pattern: new RegExp(`^${path.replace('{id}', '[^/]+')}$`),
  instead,
}));

/** What to do instead of calling this path; null where nobody has an endpoint there. */
export function insteadOf(path: string): string | null {
  return PATTERNS.find(({ pattern }) => pattern.test(path))?.instead ?? null;
}
