/**
 * Tells where the chain of the audit log ends, again and again, to a log that is kept elsewhere:
 * by it `audit verify` finds that an end was cut off, which the chain alone cannot show.
 */
import type { Log } from '../../kernel/log.ts';
import type { AuditRepository } from '../ports/audit-repository.ts';

/** Told in the form that `audit verify --anchor` takes; nothing while the chain is empty. */
export function createAnchoring(
  repository: Pick<AuditRepository, 'head'>,
  log: Pick<Log, 'info'>,
): () => Promise<void> {
  return async () => {
    const { sequence, hash } = await repository.head();
    if (sequence > 0) log.info('audit.anchor', { anchor: `${sequence}:${hash}` });
  };
}
