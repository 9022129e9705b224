/** The least of an inspector client: finds the debugger of a process and sends it commands. */
import { request } from 'undici';

export interface Inspector {
  /** Resolves with the result of the command; rejects where the debugger refuses it. */
  send(method: string, params?: object): Promise<unknown>;
  close(): void;
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Connects to a process that was started with `--inspect` on this loopback port. */
export async function openInspector(port: number): Promise<Inspector> {
  const { body } = await request(`http://127.0.0.1:${port}/json/list`);
  const [page] = (await body.json()) as { webSocketDebuggerUrl: string }[];
  if (page === undefined) throw new Error('the process offers no debugger');
  const socket = new WebSocket(page.webSocketDebuggerUrl);
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error('no connection')), { once: true });
  });
  const waiting = new Map<number, Waiting>();
  let last = 0;
  socket.addEventListener('message', (event) => {
    const { id, result, error } = JSON.parse(String(event.data)) as Reply;
    const one = waiting.get(id ?? -1);
    if (id === undefined || one === undefined) return;
    waiting.delete(id);
    if (error === undefined) one.resolve(result);
    else one.reject(new Error(error.message));
  });
  socket.addEventListener('close', () => {
    for (const { reject } of waiting.values()) reject(new Error('the debugger went away'));
    waiting.clear();
  });
  return {
    send(method, params = {}) {
      last += 1;
      const id = last;
      return new Promise((resolve, reject) => {
        waiting.set(id, { resolve, reject });
        socket.send(JSON.stringify({ id, method, params }));
      });
    },
    close: () => socket.close(),
  };
}
