/** An engine that is on its way before anybody waits for it. */

import type { Engine } from '../shared/contract';
import type { Progress } from '../shared/files';

export class Ahead {
  private last: Parameters<Progress> = [0, 0];
  private progress: Progress = () => undefined;
  private readonly engine: Promise<Engine>;

  constructor(start: (progress: Progress) => Promise<Engine>) {
    this.engine = start((...now) => {
      this.last = now;
      this.progress(...now);
    });
    // Whoever waits for it sees the error.
    this.engine.catch(() => undefined);
  }

  /** The engine, or its error; `progress` is told of what is there by now, and of the rest. */
  watched(progress: Progress): Promise<Engine> {
    this.progress = progress;
    progress(...this.last);
    return this.engine;
  }
}
