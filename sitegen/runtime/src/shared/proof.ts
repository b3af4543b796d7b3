/**
 * The proof: whether this device computes what TensorFlow computed when the site was built (sitegen/proof.py), from the
 * same inputs and with the same weights.
 */

import type { DemoConfig, Engine, Tensor, Tensors } from './contract';
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
  /** Of the last run, in the engine alone. */
  milliseconds: number;
  /** What the engine gave, run by run. */
  made: Tensors[];
}

// As in sitegen/proof.py; a GPU is held to the same (docs/architecture.md says what was measured).
const TOLERANCE = 1e-4;

/** Runs the golden inputs. Throws when the engine fails, or when the file is none that this page knows. */
export async function prove(engine: Engine, demo: DemoConfig, file: Uint8Array): Promise<Proven> {
  const golden = read(file);
  const found: Proven = { passed: true, largest: 0, lost: 0, numbers: 0, milliseconds: 0, made: [] };
  for (const [run, inputs] of inputsOf(demo, golden).entries()) {
    const { outputs, milliseconds } = await engine.run(inputs, true);
    for (const [name, told] of Object.entries(golden.runs[run]!.outputs)) compare(outputs[name], told, found);
    found.made.push(outputs);
    found.milliseconds = milliseconds;
  }
  found.passed = found.largest <= TOLERANCE;
  return found;
}

/** The golden inputs. */
export function goldenInputs(demo: DemoConfig, file: Uint8Array): Tensors[] {
  return inputsOf(demo, read(file));
}

/** Whether two engines came to the same numbers, all of them, as nearly as the proof asks. */
export function agree(one: Proven, other: Proven): boolean {
  return one.made.every((outputs, run) =>
    Object.entries(outputs).every(([name, { data }]) => near(data, other.made[run]?.[name]?.data)),
  );
}

function near(a: Tensor['data'], b: Tensor['data'] | undefined): boolean {
  if (a.length !== b?.length) return false;
  let [largest, apart] = [1, 0];
  for (let i = 0; i < a.length; i++) {
    largest = Math.max(largest, Math.abs(a[i]!));
    apart = Math.max(apart, Math.abs(a[i]! - b[i]!));
  }
  return apart <= TOLERANCE * largest;
}

function read(file: Uint8Array): Golden {
  const golden = JSON.parse(new TextDecoder().decode(file)) as Golden;
  if (golden.version !== 1) throw new Error(`its golden numbers are of version ${golden.version}`);
  return golden;
}

function inputsOf(demo: DemoConfig, { shapes, runs }: Golden): Tensors[] {
  return runs.map(({ seed }) => given(demo.model.signature.inputs, shapes, demo.input, seed));
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
