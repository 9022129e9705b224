/**
 * Whether this program may work on the tables it finds. Programs of one era understand each
 * other's tables, older ones those of newer ones too, so that a deployment can be rolled back
 * without touching the database.
 */
import { GatewayError } from '../../gateway/model/errors.ts';

/**
 * Raised, in the `schema_era` of the table `installation` as well, by a migration that programs
 * from before it cannot live with. None was yet.
 */
const SCHEMA_ERA = 1;

/** What a database says of its tables. */
export interface AppliedSchema {
  readonly migrations: readonly string[];
  /** null: no migration that notes it is applied. */
  readonly era: number | null;
}

export interface SchemaState {
  /** `behind`: migrations of this program are missing. */
  readonly state: 'current' | 'behind';
  /** Migrations of a newer version that this program can live with. */
  readonly later: readonly string[];
}

/** Throws `storage_unavailable` where this program must leave the database alone. */
export function judgeSchema(
  { migrations, era }: AppliedSchema,
  known: readonly string[],
): SchemaState {
  const later = migrations.filter((name) => !known.includes(name));
  const isBehind = known.some((name) => !migrations.includes(name));
  if (later.length > 0 && (isBehind || (era ?? SCHEMA_ERA) > SCHEMA_ERA)) {
    const why = isBehind ? 'and lacks some of this one’s' : `and of era ${era}, not ${SCHEMA_ERA}`;
    throw new GatewayError('storage_unavailable', {
      message:
        `The database was written by a newer version (migration ${later.at(-1)}), ${why}. ` +
        'Start that version, or restore a backup made before it.',
      retryable: false,
    });
  }
  return { state: isBehind ? 'behind' : 'current', later };
}
