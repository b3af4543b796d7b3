/**
 * What an npm package of a demo declares, whatever its task. This text, without its imports, and that of the task's own
 * types.ts are the package's index.d.ts: they name no type that Node lacks. sitegen/export/npm/types.py puts the page's
 * names in place of the aliases below.
 */

/** What the model tells apart, by name. */
export type Label = string;

/** A row of a table, by the names of its columns. */
export type Row = Record<string, number | string>;

/** Numbers of a model; `data` has them row by row. */
export interface Tensor {
  dtype: 'float32' | 'int32' | 'bool';
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/** Tensors by the names that `card.inputs` and `card.outputs` have. */
export type Tensors = Record<string, Tensor>;

/** Pixels row by row, 0..255: grey, RGB or RGBA, which is laid on white; `channels` left out, their number tells it. */
export interface PixelData {
  data: ArrayLike<number>;
  width: number;
  height: number;
  channels?: 1 | 3 | 4;
}

/** A file, as browsers have it. */
export interface FileLike {
  readonly size: number;
  readonly type: string;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Pixels; or in browsers an image or video element, a canvas, an ImageBitmap, or the file of a picture. */
export type Picture =
  | PixelData
  | { readonly naturalWidth: number; readonly naturalHeight: number }
  | { readonly videoWidth: number; readonly videoHeight: number }
  | { readonly width: number; readonly height: number; getContext(kind: '2d'): unknown }
  | { readonly width: number; readonly height: number; close(): void }
  | FileLike;

/** A class and its score, 0..1 for most models; `index` is its place among the model's classes. */
export interface ClassScore {
  index: number;
  label: Label;
  score: number;
}

/** The best class, and what the page has a bar for: all of ten classes or fewer, else the best; best first. */
export interface Classes {
  label: Label;
  score: number;
  classes: ClassScore[];
}

/** Differences from TensorFlow's numbers, next to an output's largest number, or to 1 where that is more. */
export interface Check {
  /** Whether all are within 1e-4. */
  passed: boolean;
  largest: number;
  /** From the model as it was before its weights were made small. */
  lost: number;
  /** How many numbers were compared. */
  numbers: number;
}

export interface LoadOptions {
  /** `false` computes in the calling thread also where there are workers, as in browsers. */
  worker?: boolean;
}

/** A model that is loaded. What it is asked is done in order, one after the other. */
export interface LoadedModel<Input, Options, Result> {
  /** What runs it; `worker` tells whether beside the calling thread. */
  readonly engine: { readonly name: string; readonly backend: string; readonly worker: boolean };
  /** What the demo shows of an input. Throws what is wrong with it. */
  predict(input: Input, options?: Options): Promise<Result>;
  /** The model's outputs for bare tensors. */
  raw(inputs: Tensors): Promise<Tensors>;
  /** Whether this device computes what TensorFlow did when the package was made. */
  check(): Promise<Check>;
  /** Frees its memory; it cannot be asked any more. */
  dispose(): void;
}

/** An end of the model; -1 in `shape` is any number. */
export interface TensorInfo {
  name: string;
  dtype: 'float32' | 'int32' | 'bool';
  shape: number[];
}

/** What the package is. */
export interface Card {
  name: string;
  version: string;
  title: string;
  summary: string;
  task: string;
  labels: Label[];
  license: string | null;
  origin: string | null;
  inputs: TensorInfo[];
  outputs: TensorInfo[];
  /** As the demo's page tells them: weights, what they lost, accuracy where it was measured. */
  facts: Record<string, string>;
}
