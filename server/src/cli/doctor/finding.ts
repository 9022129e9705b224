/**
 * What one check of `esclusa doctor` found. A `remark` works but deserves a look; a `fault`
 * needs to be put right.
 */
export interface Finding {
  readonly check: string;
  readonly state: 'good' | 'remark' | 'fault';
  readonly message: string;
}

export function good(check: string, message: string): Finding {
  return { check, state: 'good', message };
}

export function remark(check: string, message: string): Finding {
  return { check, state: 'remark', message };
}

export function fault(check: string, message: string): Finding {
  return { check, state: 'fault', message };
}

/** The system's code where it gave one, else the message. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message;
}
