/**
 * A PostgreSQL of the run's own, on the core of the generator: the tests' server, which loses
 * what a crash would lose. What is measured is the gateway, not the disk.
 */
import { PostgresServer, type TestDatabase } from '../../server/test/support/postgres-server.ts';
import { Unavailable } from './subject.ts';

export interface BenchPostgres extends TestDatabase {
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<BenchPostgres> {
  try {
    const server = await PostgresServer.start();
    const database = await server.createDatabase();
    return { ...database, stop: () => server.stop() };
  } catch (error) {
    throw new Unavailable(error instanceof Error ? error.message : String(error));
  }
}
