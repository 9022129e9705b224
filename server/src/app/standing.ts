/**
 * Ends what runs for somebody who may not call any more, with an error in the dialect of its
 * stream: at once for a tenant that is suspended; within seconds for a key that was revoked, a
 * user who was closed, a session that ended. A look is over what is running, which is bounded
 * by the places there are.
 */
import { GatewayError } from '../gateway/index.ts';
import type { RunningExchange } from '../http/index.ts';
import type { LinkedList } from '../kernel/linked-list.ts';
import type { Parts } from './parts.ts';

type Running = LinkedList<RunningExchange>;

/** Far below the minute within which open streams must end. */
const SWEEP_MS = 5000;

/** Answers the way to end it. */
export function watchStanding(
  { clock, identity }: Pick<Parts, 'clock' | 'identity'>,
  running: Running,
): () => void {
  const unsubscribe = identity.tenantSnapshot.onSuspended((slug) => {
    for (const { abort, principal } of running.toArray()) {
      if (principal?.tenant === slug) abort.abort(new GatewayError('tenant_suspended'));
    }
  });
  const look = (): void => {
    for (const { abort, principal } of running.toArray()) {
      if (principal === null || identity.stands(principal)) continue;
      abort.abort(new GatewayError('credentials_invalid'));
    }
    timer = clock.setTimer(SWEEP_MS, look);
  };
  let timer = clock.setTimer(SWEEP_MS, look);
  return () => {
    unsubscribe();
    timer.cancel();
  };
}
