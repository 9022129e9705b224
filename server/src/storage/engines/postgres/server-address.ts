/**
 * Which server a database lies on. Servers are told apart by address and port as they are
 * written down: one that is written in two ways counts as two.
 */
import type { DataPlace } from '../../../tenancy/ports/data-place.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 5432;

/** How many of the places are databases on that server. */
export function countAt(at: ServerAddress, places: readonly DataPlace[]): number {
  return places.filter((place) => place.kind === 'postgres' && isSameServer(place, at)).length;
}

/** Where a `postgres:` address leads to. */
export function serverOf(url: string): ServerAddress {
  const { hostname, port, searchParams } = new URL(url.replace(/^postgres\S*?:/, 'postgresql:'));
  const host = searchParams.get('host') ?? hostname;
  return { host, port: port === '' ? DEFAULT_PORT : Number(port) };
}

export function isSameServer(one: ServerAddress, other: ServerAddress): boolean {
  return one.port === other.port && one.host.toLowerCase() === other.host.toLowerCase();
}
