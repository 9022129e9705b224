/**
 * Things under way, in the order in which they came: added and removed at any place in constant
 * time by the node that `push` returns.
 *
 * For what comes and goes with every call, in the place of a `Set`. A `Set` that always gains
 * and loses members is rebuilt again and again, and V8 lets each table it leaves behind point to
 * the next one: once one of them is old, the collector keeps all that follow, with all that was
 * in them, until it looks at the whole heap. A node that was removed points nowhere.
 */

export interface ListNode<T> {
  readonly value: T;
  /** False where it was removed before. */
  remove(): boolean;
  /** Makes it the last one; nothing where it was removed. */
  moveToEnd(): void;
}

export class LinkedList<T> {
  /** A ring: behind its head the first, before its head the last. */
  readonly #head: Head<T> = new Head();

  get size(): number {
    return this.#head.size;
  }

  /** The value that came first of those still here. */
  get first(): T | undefined {
    const { next } = this.#head;
    return next instanceof Node ? next.value : undefined;
  }

  push(value: T): ListNode<T> {
    const node = new Node(this.#head, value);
    node.moveToEnd();
    this.#head.size += 1;
    return node;
  }

  /** As they are now; what comes or goes meanwhile changes nothing of the copy. */
  toArray(): T[] {
    const values: T[] = [];
    for (let { next } = this.#head; next instanceof Node; next = next.next) values.push(next.value);
    return values;
  }
}

class Head<T> {
  next: Link<T> = this;
  previous: Link<T> = this;
  size = 0;
}

class Node<T> implements ListNode<T> {
  readonly value: T;
  next: Link<T> = this;
  previous: Link<T> = this;
  /** null once it was removed. */
  #head: Head<T> | null;

  constructor(head: Head<T>, value: T) {
    this.#head = head;
    this.value = value;
  }

  remove(): boolean {
    if (this.#head === null) return false;
    this.#detach();
    this.#head.size -= 1;
    this.#head = null;
    return true;
  }

  moveToEnd(): void {
    const head = this.#head;
    if (head === null || head.previous === this) return;
    this.#detach();
    this.next = head;
    this.previous = head.previous;
    this.previous.next = this;
    head.previous = this;
  }

  #detach(): void {
    this.previous.next = this.next;
    this.next.previous = this.previous;
    this.next = this;
    this.previous = this;
  }
}

type Link<T> = Head<T> | Node<T>;
