/**
 * How a translation says that it cannot go on: with the field at fault. What error that is, the
 * caller knows.
 */

export type Refusal =
  /** This wire cannot say it. */
  | { readonly kind: 'unsupported'; readonly field: string }
  /** No provider could make sense of it. */
  | { readonly kind: 'invalid'; readonly field: string };

/** Makes the error to be thrown. */
export type Refuse = (refusal: Refusal) => Error;
