/** Which of several engines runs a model fastest on this device: they run the same inputs, in turn. */

import type { Engine, RunResult, Tensors } from '../shared/contract';
import { within } from './within';

const WARM_UP = 3;
const TURNS = 10;
/** Another engine is taken only when it saves a tenth: nothing is won by less. */
const ENOUGH = 0.9;
/** As page/proof.ts has it: next to the largest number of an output, or to 1 where that is more. */
const TOLERANCE = 1e-4;
/** An engine that stopped answering is no candidate. */
const PATIENCE = 30_000;

/** The winner, and how many milliseconds each takes, by the median, in their order. */
export interface Compared {
  winner: Engine;
  times: [backend: string, milliseconds: number][];
}

/**
 * Compares engines that have loaded the same model; the first is the one that is trusted. Throws when one fails, or
 * comes to other numbers on any of the inputs.
 */
export async function fastest(
  engines: [Engine, ...Engine[]],
  inputs: [Tensors, ...Tensors[]],
): Promise<Compared> {
  for (const given of inputs) {
    const expected = await ran(engines[0], given);
    for (const engine of engines.slice(1)) same(engine, (await ran(engine, given)).outputs, expected.outputs);
  }
  const times = engines.map((): number[] => []);
  for (let turn = -WARM_UP; turn < TURNS; turn++) {
    for (const [i, engine] of engines.entries()) {
      const { milliseconds } = await ran(engine, inputs[0]);
      if (turn >= 0) times[i]!.push(milliseconds);
    }
  }
  const medians = times.map(median);
  const best = medians.indexOf(Math.min(...medians));
  return {
    winner: medians[best]! <= medians[0]! * ENOUGH ? engines[best]! : engines[0],
    times: engines.map(({ backend }, i) => [backend, medians[i]!]),
  };
}

/** What the graph itself ends in, of a detector too: that is what differs. */
function ran(engine: Engine, inputs: Tensors): Promise<RunResult> {
  return within(PATIENCE, engine.run(inputs, true), `${engine.backend} stopped`);
}

function same(engine: Engine, made: Tensors, expected: Tensors): void {
  for (const [name, { data }] of Object.entries(expected)) {
    const other = made[name]?.data;
    let largest = 1;
    for (const value of data) largest = Math.max(largest, Math.abs(value));
    // Written so that what is no number is not alike.
    const alike = (value: number, i: number): boolean => Math.abs(value - other![i]!) <= TOLERANCE * largest;
    if (other?.length !== data.length || !Array.prototype.every.call(data, alike)) {
      throw new Error(`${engine.backend} comes to other numbers`);
    }
  }
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
