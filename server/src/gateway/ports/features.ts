/**
 * Which features are on for whom, as the pipeline asks it: answered from memory, never waits.
 */

export interface Features {
  isOn(flag: string, subject: FeatureSubject): boolean;
}

export interface FeatureSubject {
  readonly tenant: string;
  /** The key or the person that calls. */
  readonly user: string;
}

/** Whether answers are kept for a tenant. */
export const CACHE_FLAG = 'llm_cache';
