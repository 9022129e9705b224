/**
 * The load generator process: runs one command at a time and answers with its result. It runs at
 * low priority, so that the upstream on the same core never waits for it.
 */
import { constants, setPriority } from 'node:os';
import type { Numbers } from './load/call.ts';
import { runClosedLoop } from './load/closed-loop.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { runStreams } from './load/streams.ts';
import type { LoadCommand, LoadResult } from './protocol.ts';

function run(command: LoadCommand, numbers: Numbers): Promise<LoadResult> {
  switch (command.kind) {
    case 'closed':
      return runClosedLoop(command, numbers);
    case 'open':
      return runOpenLoop(command, numbers);
    case 'streams':
      return runStreams(command, numbers);
  }
}

function startGenerator(): void {
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  let last = 0;
  const numbers = () => {
    last += 1;
    return last;
  };
  process.on('message', (command: LoadCommand) => {
    run(command, numbers).then(
      (result) => process.send?.(result),
      (error: unknown) => process.send?.({ kind: 'failed', message: String(error) }),
    );
  });
  process.on('disconnect', () => process.exit());
}

startGenerator();
