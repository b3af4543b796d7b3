/** Work on many things, of which a few are under way at a time: more would only share the line. */

export const AT_ONCE = 4;

/**
 * Does the work for each item, begun in their order. Throws what failed first; no other is begun then, and none is under
 * way any more.
 */
export async function severally<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.iterator]();
  const failed: unknown[] = [];
  const one = async (): Promise<void> => {
    for (let step = left.next(); !step.done && failed.length === 0; step = left.next()) {
      await work(step.value).catch((error: unknown) => failed.push(error));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
  if (failed.length > 0) throw failed[0];
}
