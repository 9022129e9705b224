import { systemClock } from '../../src/kernel/clock.ts';
import { createMemoryReplayStore } from '../../src/stores/memory/replay-store.ts';
import { replayStoreSuite } from './replay-store.suite.ts';

replayStoreSuite('memory', (bounds) => ({
  store: createMemoryReplayStore({ clock: systemClock, bounds: () => bounds }),
  tenant: 'acme',
  close: () => undefined,
}));
