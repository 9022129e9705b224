/** The twin in memory, so that what is tested with it is tested against what Redis does. */
import { createMemoryFleet } from '../support/memory-flights.ts';
import { sharedFlightsSuite } from './shared-flights.suite.ts';

sharedFlightsSuite('memory', (_owner, maxLogBytes) => {
  const fleet = createMemoryFleet(maxLogBytes);
  return {
    process: async () => fleet.process(),
    put: async (tenant, key) => void fleet.stored.add(JSON.stringify([tenant, key])),
  };
});
