/**
 * Connections that were handed to a worker which died before it took them.
 *
 * `node:cluster` waits for the worker's word about each connection, forgets it when there is
 * none, and keeps the socket open: the client would wait for ever. Here the worker's refusal is
 * said in its place, which makes `node:cluster` give the connection to another worker. It hands
 * a worker one connection at a time, so that there is one to remember.
 *
 * This leans on the words that `node:cluster` uses between its processes (Node 24). Were they
 * to change, nothing would be remembered and nothing done.
 */
import cluster, { type Worker } from 'node:cluster';

interface Handed {
  readonly seq: number;
  readonly connection: { close(): void };
}

interface Word {
  readonly cmd?: unknown;
  readonly act?: unknown;
  readonly seq?: unknown;
  readonly ack?: unknown;
}

export function rescueStranded({ process: child }: Worker): void {
  let handed: Handed | null = null;
  let isOnItsWay = false;
  const send = child.send.bind(child) as (...all: unknown[]) => boolean;
  child.send = (...all: unknown[]): boolean => {
    const next = handedOver(all);
    if (next !== null) {
      handed = next;
      isOnItsWay = true;
    }
    return send(...all);
  };
  child.on('internalMessage', ({ cmd, ack }: Word) => {
    if (cmd === 'NODE_HANDLE_ACK') isOnItsWay = false;
    if (ack !== undefined && ack === handed?.seq) handed = null;
  });
  child.once('exit', () => {
    if (child.connected) child.disconnect();
    // A channel that waits for a socket's arrival would never be closed, nor lose its turn.
    if (isOnItsWay) child.emit('internalMessage', { cmd: 'NODE_HANDLE_ACK' });
    setImmediate(() => {
      if (handed !== null) giveToAnother(child, handed);
    });
  });
}

function giveToAnother(child: Worker['process'], { seq, connection }: Handed): void {
  const isAnyLeft = Object.values(cluster.workers ?? {}).some((each) => each?.isConnected());
  if (isAnyLeft) child.emit('internalMessage', { cmd: 'NODE_CLUSTER', ack: seq, accepted: false });
  else connection.close();
}

function handedOver([message, connection]: readonly unknown[]): Handed | null {
  const { cmd, act, seq } = message as Word;
  if (cmd !== 'NODE_CLUSTER' || act !== 'newconn' || typeof seq !== 'number') return null;
  return { seq, connection: connection as Handed['connection'] };
}
