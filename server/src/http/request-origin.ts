/**
 * Where a request comes from and whose host it calls, each learnt when somebody asks. What
 * proxies say counts where the operator trusts them.
 */
import type { IncomingMessage } from 'node:http';
import { createAddressReader } from './client-address.ts';
import { isOwnMachine } from './own-machine.ts';
import { createHostReader } from './request-host.ts';

export interface RequestOrigin {
  /** Where the connection comes from; null where that is unknown. */
  readonly address: () => string | null;
  /** The tenant whose host was called; null: the host belongs to none. */
  readonly tenant: () => string | null;
  /** The secret that stands for nobody's credential; null where there must be one. */
  readonly instead?: () => string | null;
}

export type OriginReader = (request: IncomingMessage) => RequestOrigin;

export interface HostBook {
  /** False spares the reading of hosts. */
  hasHosts(): boolean;
  tenantOfHost(host: string): string | null;
}

/** `isTrusted` says of an address whether it is one of the operator's proxies. */
export function createOriginReader(
  isTrusted: (address: string) => boolean,
  hosts: HostBook,
  /** Good on this machine without a credential; null: nothing is. */
  developerSecret: string | null = null,
): OriginReader {
  const addressOf = createAddressReader(isTrusted);
  const hostOf = createHostReader(isTrusted);
  const insteadOn = (request: IncomingMessage) => ({
    instead: () => (isOwnMachine(request) ? developerSecret : null),
  });
  return (request) => ({
    ...(developerSecret !== null && insteadOn(request)),
    address: () => addressOf(request),
    tenant() {
      if (!hosts.hasHosts()) return null;
      const host = hostOf(request);
      return host === null ? null : hosts.tenantOfHost(host);
    },
  });
}
