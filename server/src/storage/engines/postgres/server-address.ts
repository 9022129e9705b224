/**
 * Which server a database lies on. Servers are told apart by address and port as they are
 * written down: one that is written in two ways counts as two.
 */
import type { DataPlace } from '../../../tenancy/ports/data-place.ts';
import type { PostgresSettings } from './options.ts';

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

type MainAddress = Pick<PostgresSettings, 'url' | 'migrationUrl' | 'isPooled'>;

const DEFAULT_PORT = 5432;

/** How many of the places are databases on that server. */
export function countAt(at: ServerAddress, places: readonly DataPlace[]): number {
  return places.filter((place) => place.kind === 'postgres' && isSameServer(place, at)).length;
}

/** A pooler is not the server: the owner of the tables goes past it. */
export function serverOfMain({ url, migrationUrl, isPooled }: MainAddress): ServerAddress {
  return serverOf(isPooled ? (migrationUrl ?? url) : url);
}

/** Where a `postgres:` address leads to. */
function serverOf(url: string): ServerAddress {
  const { hostname, port, searchParams } = new URL(url.replace(/^postgres\S*?:/, 'postgresql:'));
  const host = searchParams.get('host') ?? hostname;
  return { host, port: port === '' ? DEFAULT_PORT : Number(port) };
}

export function isSameServer(one: ServerAddress, other: ServerAddress): boolean {
  return one.port === other.port && one.host.toLowerCase() === other.host.toLowerCase();
}
