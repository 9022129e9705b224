/**
 * The tables of tenants' own data: what a move copies and an erasure takes away. A table that
 * holds such data stands here, or stays behind.
 *
 * Rows are made and deleted and never changed, so that two databases that hold the same keys
 * hold the same rows. A table whose rows change must say how its changes are told.
 */
import type { Schema } from '../schema.ts';

export interface OwnTable {
  readonly name: 'bodies' | 'responses';
  /** A text, unique and ordered by its bytes. */
  readonly key: 'request_id' | 'id';
  readonly columns: readonly string[];
}

const bodies: readonly (keyof Schema['bodies'])[] = [
  ...(['request_id', 'tenant', 'created_at_ms', 'request', 'request_truncated'] as const),
  ...(['response', 'response_truncated'] as const),
];
const responses: readonly (keyof Schema['responses'])[] = [
  ...(['id', 'tenant', 'key_id', 'created_at_ms', 'previous_id', 'input', 'response'] as const),
];

export const OWN_TABLES: readonly OwnTable[] = [
  { name: 'bodies', key: 'request_id', columns: bodies },
  { name: 'responses', key: 'id', columns: responses },
];
