/** Numbers from the best down, one by one: a heap, because few of many are ever asked for. */
export class Best {
  private size: number;

  /** Rearranges `heap`, which it keeps; `before` says of two numbers whether the first is better. */
  constructor(
    private readonly heap: Uint32Array,
    private readonly before: (a: number, b: number) => boolean,
  ) {
    this.size = heap.length;
    for (let at = (this.size >> 1) - 1; at >= 0; at--) this.sink(at);
  }

  /** The best that was not given yet; null when there are no more. */
  next(): number | null {
    if (this.size === 0) return null;
    const best = this.heap[0]!;
    this.heap[0] = this.heap[--this.size]!;
    this.sink(0);
    return best;
  }

  private sink(at: number): void {
    const { heap, size, before } = this;
    const moved = heap[at]!;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      if (child + 1 < size && before(heap[child + 1]!, heap[child]!)) child++;
      if (!before(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
  }
}
