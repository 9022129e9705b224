/**
 * What an operator can ask of a request before a target may answer it, and by which part of a
 * request targets are kept to: plain data, made from the configuration, without code in it.
 *
 * Every member of a condition must hold; of several texts any one will do. Texts are compared
 * exactly, names of headers without regard to case.
 */
type Texts = readonly string[];

export interface Condition {
  readonly tenant?: Texts;
  /** Identifiers of API keys. */
  readonly key?: Texts;
  /** The end user that the client names in the body. */
  readonly user?: Texts;
  readonly operation?: Texts;
  /** By lower-case name. */
  readonly header?: Readonly<Record<string, Texts>>;
  /** Members of the body's `metadata`. */
  readonly metadata?: Readonly<Record<string, Texts>>;
  readonly stream?: boolean;
  readonly hasTools?: boolean;
  readonly hasImages?: boolean;
  readonly hasFiles?: boolean;
  /** An answer of a given JSON Schema is asked for. */
  readonly hasJsonSchema?: boolean;
  /** Estimated, both ends included. */
  readonly minInputTokens?: number;
  readonly maxInputTokens?: number;
}

/** Whose requests keep to the same target: those with the same value here. */
export type StickyBy =
  | { readonly kind: 'tenant' | 'key' | 'user' }
  | { readonly kind: 'header' | 'metadata'; readonly name: string };
