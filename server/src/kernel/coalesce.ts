/**
 * One run at a time of a piece of work that many ask for. Whoever asks while one runs shares
 * the next: that one begins after they asked, so it sees what they just did.
 */
export function coalesce(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | null = null;
  return () => {
    if (waiting !== null) return waiting; // it has not begun
    const mine = last.then(() => {
      waiting = null;
      return work();
    });
    waiting = mine;
    last = mine;
    return mine;
  };
}
