/** Runs the model on rows: all at once where it takes any number of them, else one by one. */

import type { DemoHost } from '../../shared/task';
import { tensorsOf, type Row } from './features';

/** The output of each row, and the time in the engine. */
export interface Ran {
  outputs: ArrayLike<number>[];
  milliseconds: number;
}

/** Null where `current` is false before all was run; throws what the host has told the visitor. */
export async function predict(
  rows: Row[],
  host: Pick<DemoHost, 'config' | 'run'>,
  current: () => boolean,
): Promise<Ran | null> {
  const { engine, model, takes } = host.config;
  const { inputs, outputs } = model.signature;
  // A plan was recorded for one row.
  const together = engine.name !== 'plan' && inputs.every(({ shape }) => shape[0] === -1);
  const batches = together ? [rows] : rows.map((row) => [row]);
  const ran: Ran = { outputs: [], milliseconds: 0 };
  for (const batch of batches) {
    if (ran.outputs.length && !current()) return null;
    const result = await host.run(tensorsOf(batch, takes.columns!, inputs));
    const { data } = result.outputs[outputs[0]!.name]!;
    const each = data.length / batch.length;
    for (let n = 0; n < batch.length; n++) ran.outputs.push(data.subarray(n * each, (n + 1) * each));
    ran.milliseconds += result.milliseconds;
  }
  return ran;
}
