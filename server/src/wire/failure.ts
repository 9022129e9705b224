/** The part of a coded error that a dialect can say; it matches the core's error by structure. */
export interface Failure {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly field: string | null;
  readonly upstreamCode: string | null;
  readonly upstreamType: string | null;
}
