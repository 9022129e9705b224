/**
 * What the command line knows of the terminal it runs in. `NO_COLOR` and the like are obeyed
 * by Node itself, which also says which language the machine speaks.
 */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

export interface Terminal {
  write(text: string): void;
  writeError(text: string): void;
  /** Adds colour where it will be shown. */
  style(style: Style, text: string): string;
  /** A person is there to be asked. */
  readonly isInteractive: boolean;
  /** Such as `es-ES`. */
  readonly locale: string;
}

/**
 * The terminal of this process. `lost` is told once, with the system's code, when what is written
 * cannot be; a reader that had enough (`| head`) is no such loss, the rest is dropped quietly.
 */
export function systemTerminal(lost: (code: string) => void): Terminal {
  const { stdin, stdout, stderr } = process;
  let isLost = false;
  stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isLost) return;
    isLost = true;
    if (error.code !== 'EPIPE') lost(error.code ?? error.message);
  });
  stderr.on('error', () => undefined); // there is nowhere left to say so
  return {
    write: (text) => void stdout.write(text),
    writeError: (text) => void stderr.write(text),
    style: (style, text) => styleText(style, text, { stream: stdout }),
    isInteractive: stdin.isTTY === true && stdout.isTTY === true,
    locale: Intl.DateTimeFormat().resolvedOptions().locale,
  };
}
