/**
 * The proof: whether this device computes what TensorFlow computed when the site was built (sitegen/proof.py), from the
 * same inputs and with the same weights.
 */

import type { DemoConfig, Engine, Tensor } from '../shared/contract';
import { given } from './golden';

/** Of an output, every so many numbers: the float model's, and those with the weights that the page has. */
interface Told {
  size: number;
  every: number;
  largest: number;
  float: number[];
  coded: number[];
}

interface Golden {
  version: number;
  shapes: Record<string, number[]>;
  runs: { seed: number; outputs: Record<string, Told> }[];
}

/** What was found; differences are next to the largest number of an output, or to 1 where that is more. */
export interface Proven {
  passed: boolean;
  /** Of this device from TensorFlow, with the page's weights. */
  largest: number;
  /** Of this device from the float model: what quantization lost, besides. */
  lost: number;
  numbers: number;
}

// As in sitegen/proof.py.
const TOLERANCE = 1e-4;

/** Runs the golden inputs. Throws when the engine fails, or when the file is none that this page knows. */
export async function prove(engine: Engine, demo: DemoConfig, file: Uint8Array): Promise<Proven> {
  const golden = JSON.parse(new TextDecoder().decode(file)) as Golden;
  if (golden.version !== 1) throw new Error(`its golden numbers are of version ${golden.version}`);
  const found: Proven = { passed: true, largest: 0, lost: 0, numbers: 0 };
  for (const { seed, outputs } of golden.runs) {
    const inputs = given(demo.model.signature.inputs, golden.shapes, demo.input, seed);
    const made = await engine.run(inputs, true);
    for (const [name, told] of Object.entries(outputs)) compare(made.outputs[name], told, found);
  }
  found.passed = found.largest <= TOLERANCE;
  return found;
}

function compare(made: Tensor | undefined, told: Told, found: Proven): void {
  if (made?.data.length !== told.size) {
    found.largest = Infinity;
    return;
  }
  told.coded.forEach((coded, i) => {
    const value = made.data[i * told.every]!;
    found.largest = Math.max(found.largest, difference(value, coded, told));
    found.lost = Math.max(found.lost, difference(value, told.float[i]!, told));
  });
  found.numbers += told.coded.length;
}

function difference(a: number, b: number, { largest }: Told): number {
  const apart = Math.abs(a - b) / largest;
  return Number.isNaN(apart) ? Infinity : apart;
}
