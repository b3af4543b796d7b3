/** Work that is slower than what it is given to do. */

/** Does `work` on one thing at a time: what comes meanwhile waits, and only the newest of it. */
export function newest<Given>(work: (given: Given) => Promise<void>): (given: Given) => Promise<void> {
  let waiting: { given: Given } | null = null;
  let working: Promise<void> | null = null;
  const go = async (): Promise<void> => {
    try {
      for (let next = waiting; next; next = waiting) {
        waiting = null;
        await work(next.given);
      }
    } finally {
      working = null;
    }
  };
  return (given) => {
    waiting = { given };
    return (working ??= go());
  };
}
