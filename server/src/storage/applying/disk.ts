/**
 * Troubles of the journal's own files, told apart from those of the database: both come as codes
 * of the same system, and only where they arise is it known which of the two they concern.
 */

/** Throws what the disk said as an error that no database could have thrown. */
export function onDisk<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`the journal's files: ${why}`, { cause });
  }
}
