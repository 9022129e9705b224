/**
 * The chain of the audit log: each entry's hash is keyed and covers the one before, so that who
 * changes, removes or inserts a row, without the master secret, breaks every hash from there on.
 *
 * What a chain cannot show by itself is that its end was cut off together with the row that
 * says where it ends. Compare the head with one that was noted elsewhere: `audit verify` prints
 * it, and takes it back.
 */
import { createHmac } from 'node:crypto';
import type {
  AuditEntry,
  AuditEvent,
  AuditHead,
  AuditRepository,
  SealEvent,
} from '../ports/audit-repository.ts';

const PAGE = 500;

export function createSeal(key: Uint8Array): SealEvent {
  return (event, sequence, previousHash) =>
    createHmac('sha256', key)
      .update(canonical(event, sequence, previousHash))
      .digest('hex');
}

/** One text per entry: a list in a fixed order, the details with their names sorted. */
function canonical(event: AuditEvent, sequence: number, previousHash: string): string {
  const details = Object.entries(event.details).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[sequence, previousHash, event.atMs, event.tenant, event.actor, event.action],
    ...[event.subject, event.outcome, event.address, event.requestId, details],
  ]);
}

export type Verdict =
  | { readonly kind: 'whole'; readonly entries: number; readonly head: AuditHead }
  /** The first entry that does not fit, and what is wrong there. */
  | {
      readonly kind: 'broken';
      readonly sequence: number;
      readonly problem: 'changed' | 'missing' | 'end_missing' | 'anchor_differs';
    };

/** Walks the whole chain. `anchor` is a head that was noted earlier. */
export async function verifyChain(
  repository: Pick<AuditRepository, 'scan' | 'head'>,
  seal: SealEvent,
  anchor: AuditHead | null = null,
): Promise<Verdict> {
  const head = await repository.head();
  let last: AuditHead = { sequence: 0, hash: '' };
  let anchored = anchor === null || anchor.sequence === 0;
  for (;;) {
    const page: readonly AuditEntry[] = await repository.scan(last.sequence, PAGE);
    for (const entry of page) {
      const expected = last.sequence + 1;
      if (entry.sequence !== expected) return broken(expected, 'missing');
      if (seal(entry, expected, last.hash) !== entry.hash) return broken(expected, 'changed');
      last = { sequence: entry.sequence, hash: entry.hash };
      if (anchor?.sequence === last.sequence) {
        if (anchor.hash !== last.hash) return broken(last.sequence, 'anchor_differs');
        anchored = true;
      }
    }
    if (page.length < PAGE) break;
  }
  // Entries may have been added meanwhile; none may have gone.
  if (last.sequence < head.sequence) return broken(last.sequence + 1, 'end_missing');
  if (last.sequence === head.sequence && last.hash !== head.hash) {
    return broken(last.sequence, 'changed');
  }
  if (!anchored) return broken(last.sequence + 1, 'end_missing');
  return { kind: 'whole', entries: last.sequence, head: last };
}

function broken(sequence: number, problem: Extract<Verdict, { kind: 'broken' }>['problem']) {
  return { kind: 'broken', sequence, problem } as const;
}
