/**
 * The steps of which moving, and erasing, a tenant's own data is made. Each may be done again,
 * by another process too, and then finds what is done already. A place of null is the shared
 * database.
 */
import type { DataPlace, PlaceOwner, PlaceReport } from './data-place.ts';

export interface MoveCounts {
  /** Rows of the tenant that are there. */
  readonly rows: number;
}

/** All methods throw `storage_unavailable`. */
export interface DataMover {
  /** Looks at a database and changes nothing. Throws what is in the way. */
  probe(owner: PlaceOwner, place: DataPlace): Promise<PlaceReport>;
  /**
   * Makes a place ready to take the tenant's rows, and closed to everybody else's writing.
   * Throws `conflict` where it is the tenant's home already, the shared database among them.
   */
  prepare(owner: PlaceOwner, to: DataPlace | null): Promise<void>;
  /** Copies what is missing there and compares it; goes on where it was interrupted. */
  copy(
    owner: PlaceOwner,
    from: DataPlace | null,
    to: DataPlace | null,
    signal: AbortSignal,
  ): Promise<MoveCounts>;
  /** From here on nobody changes the tenant's rows there, and all who did have ended. */
  close(owner: PlaceOwner, place: DataPlace | null): Promise<void>;
  /** The opposite, for a move that is given up, and at the end of one. */
  open(owner: PlaceOwner, place: DataPlace | null): Promise<void>;
  /**
   * What changed since `copy`: rows that are missing there are added, rows that are too many
   * taken away. Throws unless both hold the same rows afterwards.
   */
  settle(
    owner: PlaceOwner,
    from: DataPlace | null,
    to: DataPlace | null,
    signal: AbortSignal,
  ): Promise<MoveCounts>;
  /**
   * Takes away every row of the tenant there, for good, and its home, which is closed; answers
   * how many. Throws `conflict` where it is open.
   */
  clear(owner: PlaceOwner, place: DataPlace | null, signal: AbortSignal): Promise<number>;
  /** Takes away a whole database of the tenant's own. */
  destroy(owner: PlaceOwner, place: DataPlace): Promise<void>;
}
