/** What a task's script and the page's script know of one another; they meet through the global `sitegen`. */

import type { DemoConfig, Engine, RunResult, Tensors } from './contract';

/** What a task's script is given to work with. */
export interface DemoHost {
  readonly config: DemoConfig;
  /** Whether the page loads the model by itself, so that a task may begin before it is asked for anything. */
  readonly eager: boolean;
  /** Loads engine and model once; a load that failed is tried again by the next call. */
  load(): Promise<Engine>;
  /** Runs the model; inputs and outputs are by the names of its signature. Where it throws, the visitor was told. */
  run(inputs: Tensors): Promise<RunResult>;
  /** Sample `index` as a Blob of its type. */
  sample(index: number): Promise<Blob>;
  /** One of the task's own files, by the name that its half in sitegen/tasks/ gave it. */
  file(name: string): Promise<Uint8Array>;
  /** Tells the visitor what went wrong (null: nothing any more). The demo stays usable. */
  fail(message: string | null): void;
}

/** A task: mounts its user interface under `root`; gives back what undoes it. */
export interface Task {
  mount(root: HTMLElement, host: DemoHost): () => void;
}

export interface SitegenGlobal {
  tasks: Record<string, Task>;
}

declare global {
  /** Made by whichever script comes first. */
  var sitegen: SitegenGlobal | undefined;
}
