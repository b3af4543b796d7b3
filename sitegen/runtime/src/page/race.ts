/** Engines with the same model against one another. */

import type { Engine, Tensors } from '../shared/contract';
import { PATIENCE, within } from './engine';

const WARM_UP = 3;
const TIMED = 10;
/** Who is so many times slower when warm is not kept running. */
const HOPELESS = 3;
/** Changing over has to be worth it: the most of the first one's time that the winner may take. */
const ENOUGH = 0.9;

/**
 * Median milliseconds of each; they take turns, so that whatever else the device does slows all alike. Throws when one
 * fails, or hangs.
 */
export async function timed(engines: Engine[], inputs: Tensors[]): Promise<number[]> {
  const times: number[][] = engines.map(() => []);
  const warm = engines.map(() => 0);
  for (let round = 0; round < WARM_UP + TIMED; round++) {
    for (const [i, engine] of engines.entries()) {
      if (round >= WARM_UP && warm[i]! > HOPELESS * warm[0]!) continue;
      const { milliseconds } = await within(PATIENCE, engine.run(inputs[round % inputs.length]!));
      if (round < WARM_UP) warm[i] = milliseconds;
      else times[i]!.push(milliseconds);
    }
  }
  return times.map((list, i) => (list.length ? median(list) : warm[i]!));
}

/** Which is worth changing over to from the first; 0 when none is. */
export function winner(medians: number[]): number {
  const best = medians.indexOf(Math.min(...medians));
  return medians[best]! <= ENOUGH * medians[0]! ? best : 0;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
