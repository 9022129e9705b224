/** Goal: the profile blames the right function. Method: a profile of three nodes by hand. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { heaviest } from '../../../../bench/profile/self-time.ts';

const frame = (functionName: string, url: string, lineNumber: number) => ({
  functionName,
  url,
  lineNumber,
});

const profile = {
  nodes: [
    { id: 1, callFrame: frame('(root)', '', -1) },
    { id: 2, callFrame: frame('read', 'file:///a.ts', 9) },
    { id: 3, callFrame: frame('write', 'file:///a.ts', 19) },
    // The same function by another caller.
    { id: 4, callFrame: frame('read', 'file:///a.ts', 9) },
    { id: 5, callFrame: frame('', 'file:///b.ts', 0) },
    { id: 6, callFrame: frame('(idle)', '', -1) },
    { id: 7, callFrame: frame('(garbage collector)', '', -1) },
  ],
  samples: [2, 3, 4, 5, 6, 7, 2],
  timeDeltas: [100, 10, 100, 250, 5000, 20, 100],
};

it('sums self time over all callers, leaves idle time out and groups by file', () => {
  const { busyUs, files } = heaviest(profile, 2);

  assert.equal(busyUs, 580);
  assert.deepEqual(files, [
    {
      file: 'file:///a.ts',
      selfUs: 310,
      functions: [{ name: 'read', file: 'file:///a.ts', line: 10, selfUs: 300 }],
    },
    {
      file: 'file:///b.ts',
      selfUs: 250,
      functions: [{ name: '(anonymous)', file: 'file:///b.ts', line: 1, selfUs: 250 }],
    },
  ]);
});
