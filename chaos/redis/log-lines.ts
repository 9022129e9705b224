/** What a gateway says beside its requests: how loud an outage is. */
import type { ChildProcess } from 'node:child_process';

const OF_REQUESTS = /^(?:request |control-plane request)/;

/** Listens from now on; what is answered gives the lines so far. */
export function logLines(child: ChildProcess): () => readonly string[] {
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      said += chunk;
    });
  }
  return () => said.split('\n').flatMap(lineOf);
}

function lineOf(line: string): readonly string[] {
  if (line.trim() === '') return [];
  try {
    const { level, message, breaker = '', store = '' } = JSON.parse(line);
    // One for each request, whatever becomes of Redis.
    if (OF_REQUESTS.test(message)) return [];
    return [[level, message, breaker, store].filter(Boolean).join(' ')];
  } catch {
    return [line];
  }
}
