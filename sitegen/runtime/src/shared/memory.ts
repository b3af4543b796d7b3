/** What runs out; the demo stays usable when memory is free again. */
export const OUT_OF_MEMORY = 'this device has not enough memory for the model';

/** What an error says. Of memory that JavaScript cannot have, each browser has words of its own. */
export function wordsOf(error: unknown): string {
  if (error instanceof RangeError && /alloc|memory/i.test(error.message)) return OUT_OF_MEMORY;
  return error instanceof Error ? error.message : String(error);
}
