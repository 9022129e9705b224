/**
 * An endpoint that runs models, as the reference describes it.
 */
import type { z } from 'zod';
import type { DocumentedRoute } from '../document.ts';

export interface Description {
  /** As the router writes paths. */
  readonly url: string;
  readonly summary: string;
  readonly params?: z.ZodType;
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
}

/** The endpoints of one dialect, with the shape of its errors. */
export function described(
  tag: string,
  error: z.ZodType,
  descriptions: readonly Description[],
): readonly DocumentedRoute[] {
  return descriptions.map(({ url, summary, params, body, answer }) => ({
    method: 'POST',
    url,
    schema: {
      ...{ tags: [tag], summary, body, response: { 200: answer, default: error } },
      ...(params !== undefined && { params }),
    },
  }));
}
