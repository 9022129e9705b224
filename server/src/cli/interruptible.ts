/**
 * Work that a person or a machine may end: the first SIGINT or SIGTERM aborts it, and it tidies
 * up after itself.
 */

export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  process.on('SIGTERM', stop).on('SIGINT', stop);
  try {
    return await work(controller.signal);
  } finally {
    process.off('SIGTERM', stop).off('SIGINT', stop);
  }
}
