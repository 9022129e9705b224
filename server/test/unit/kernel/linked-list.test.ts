/** A list with removal at any place. Method: random histories beside an array. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LinkedList, type ListNode } from '../../../src/kernel/linked-list.ts';

describe('a linked list', () => {
  it('does what an array would, in any history', () => {
    const step = fc.tuple(fc.constantFrom('push', 'remove', 'moveToEnd'), fc.nat(30));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const list = new LinkedList<number>();
        const nodes: ListNode<number>[] = [];
        let model: number[] = [];
        for (const [action, at] of steps) {
          const node = nodes[at];
          if (action === 'push') {
            model.push(nodes.length);
            nodes.push(list.push(nodes.length));
          } else if (node !== undefined) {
            const wasThere = model.includes(node.value);
            if (action === 'remove') assert.equal(node.remove(), wasThere);
            else node.moveToEnd();
            model = model.filter((value) => value !== node.value);
            if (action === 'moveToEnd' && wasThere) model.push(node.value);
          }
          assert.deepEqual(list.toArray(), model);
          assert.deepEqual([list.size, list.first], [model.length, model[0]]);
        }
      }),
    );
  });

  it('is copied for those who change it while they go through it', () => {
    const list = new LinkedList<ListNode<unknown>[]>();
    const nodes = [list.push([]), list.push([]), list.push([])];

    for (const _ of list.toArray()) for (const node of nodes) node.remove();

    assert.equal(list.size, 0);
  });
});
