/**
 * Where a tenant's own data lies when it is not the shared database: a file beside it, or a
 * PostgreSQL of its own. Its credentials are sealed here and opened nowhere but where a
 * connection is made.
 */

export type DataPlace = FilePlace | PostgresPlace;

/** A file of its own in the data folder. */
export interface FilePlace {
  readonly kind: 'file';
}

export interface PostgresPlace extends PostgresAddress {
  readonly kind: 'postgres';
  /** User and password; bound to the tenant and to the address. */
  readonly sealed: string;
}

export interface PostgresAddress {
  /** A name or an address; never a path. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  /** `verify-full` where nothing is said. */
  readonly ssl: 'disable' | 'require' | 'verify-full';
}

export interface DatabaseLogin {
  readonly user: string;
  readonly password: string;
}

/** Whose data it is. */
export interface PlaceOwner {
  readonly id: string;
  readonly slug: string;
}

/** What a database says when it is tried. */
export interface PlaceReport {
  readonly latencyMs: number;
  readonly version: string;
  /** Its tables are those of this program, up to date. */
  readonly isPrepared: boolean;
}
