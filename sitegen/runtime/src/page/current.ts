/** An engine that can be exchanged for another while it is in use: whoever holds it notices by its name alone. */

import type { Engine, RunResult, Tensors } from '../shared/contract';

export class Current implements Engine {
  private readonly running = new Set<Promise<unknown>>();
  private disposed = false;

  constructor(private engine: Engine) {}

  get name(): string {
    return this.engine.name;
  }

  get backend(): string {
    return this.engine.backend;
  }

  run(inputs: Tensors, bare?: boolean): Promise<RunResult> {
    const result = this.engine.run(inputs, bare);
    const done = result.catch(() => undefined).finally(() => this.running.delete(done));
    this.running.add(done);
    return result;
  }

  /** Takes another engine from the next run on; the one before ends when it has answered. */
  exchange(engine: Engine): void {
    if (this.disposed) {
      engine.dispose();
      return;
    }
    const before = this.engine;
    this.engine = engine;
    void Promise.all(this.running).then(() => before.dispose());
  }

  dispose(): void {
    this.disposed = true;
    this.engine.dispose();
  }
}
