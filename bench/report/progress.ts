/**
 * How far the run is: a bar that redraws itself on a terminal, a line per measurement elsewhere.
 * Drawn only between measurements; an animation would use the core of the generator. Written to
 * standard error, so that standard output holds the results alone.
 */
export interface Progress {
  step(what: string): void;
  end(): void;
}

const WIDTH = 24;

export function createProgress(total: number, output: NodeJS.WriteStream): Progress {
  const startedMs = performance.now();
  let done = 0;
  return {
    step(what) {
      const elapsed = `${Math.round((performance.now() - startedMs) / 1000)} s`;
      if (output.isTTY) {
        const filled = Math.min(WIDTH, Math.round((done / total) * WIDTH));
        const bar = '█'.repeat(filled) + '░'.repeat(WIDTH - filled);
        const text = `${bar} ${done}/${total}  ${elapsed}  ${what}`;
        output.write(`\r\x1b[K${text.slice(0, output.columns - 1)}`);
      } else {
        output.write(`[${done + 1}/${total}] ${elapsed}  ${what}\n`);
      }
      done += 1;
    },
    end() {
      if (output.isTTY) output.write('\r\x1b[K');
    },
  };
}
