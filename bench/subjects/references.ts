/** What Esclusa is compared with inside every run: no gateway at all, and the least one. */
import { fileURLToPath } from 'node:url';
import type { Listening } from '../actors/protocol.ts';
import type { Variant } from './subject.ts';

const PASS_THROUGH = fileURLToPath(new URL('../actors/pass-through.ts', import.meta.url));

const nothing = () => Promise.resolve();

export const direct: Variant = {
  id: 'direct',
  label: 'direct',
  start: ({ upstream }) =>
    Promise.resolve({
      pid: null,
      origin: upstream.origin,
      headers: {},
      isCached: false,
      verify: nothing,
      stop: nothing,
    }),
};

export const passThrough: Variant = {
  id: 'pass-through',
  label: 'bare pass-through',
  async start({ children, cores, upstream }) {
    const child = children.spawn({
      name: 'pass-through',
      args: [PASS_THROUGH, upstream.origin],
      core: cores.subject,
      talks: true,
    });
    const { port } = (await child.hear()) as Listening;
    return {
      pid: child.pid,
      origin: `http://127.0.0.1:${port}`,
      headers: {},
      isCached: false,
      verify: nothing,
      stop: () => child.stop(),
    };
  },
};
