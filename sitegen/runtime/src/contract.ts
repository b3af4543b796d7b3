/**
 * The types that the runtime's scripts share. Each script is bundled on its own (classic scripts, no modules at run
 * time), so what they share at run time goes through one global, `sitegen`, declared at the end.
 *
 * The JSON shapes (PageConfig and below) are written by Python: sitegen/bundle.py is their other half.
 */

/** A file carried in chunks: `bytes` is its decoded length; chunks are [sha-256, payload bytes]. */
export interface FileRef {
  bytes: number;
  encoding: 'identity' | 'deflate-raw';
  chunks: [id: string, bytes: number][];
}

/** A plain file of the site: `path` is relative to the site's root, `sha256` that of the file's bytes. */
export interface AssetRef {
  path: string;
  bytes: number;
  sha256: string;
}

export type DType = 'float32' | 'int32' | 'bool';

/** A named end of the graph; -1 in `shape` is a dimension of any size. */
export interface TensorSpec {
  name: string;
  dtype: DType;
  shape: number[];
}

/** One weight as TF.js's weight manifest describes it. */
export interface WeightSpec {
  name: string;
  shape: number[];
  dtype: DType;
  quantization?: {
    dtype: 'float16' | 'uint8' | 'uint16';
    scale?: number;
    min?: number;
    original_dtype?: DType;
  };
}

export type ImageSource = 'draw' | 'upload' | 'camera' | 'samples';

/** How a picture becomes the input tensor: y = (x * scale - mean[c]) / std[c], x in 0..255. */
export interface ImageInput {
  width: number;
  height: number;
  channels: 1 | 3;
  resize: 'stretch' | 'center-crop' | 'letterbox';
  invert: boolean;
  scale: number;
  mean: number[];
  std: number[];
  sources: ImageSource[];
  /** Pen width as a fraction of the canvas; `fit`: the ink fills this fraction of the input (null: as drawn). */
  draw: { stroke: number; fit: number | null };
}

export interface ModelConfig {
  topology: FileRef;
  weights: FileRef;
  weightSpecs: WeightSpec[];
  signature: { inputs: TensorSpec[]; outputs: TensorSpec[] };
  quantization: string;
  weightBytes: number;
  parameters: number;
}

export interface DemoConfig {
  task: string;
  title: string;
  engine: { name: string; script: string; wasm: FileRef };
  model: ModelConfig;
  input: ImageInput;
  output: { activation: 'none' | 'softmax' | 'sigmoid'; topK: number };
  labels: string[];
  samples: { name: string; type: string; image: FileRef }[];
}

export interface PageConfig {
  format: 1;
  page: string;
  root: string;
  offline: 'auto' | 'ask' | 'never';
  assets: AssetRef[];
  demo: DemoConfig | null;
}

export interface Tensor {
  dtype: DType;
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

/** A model that is loaded and ready; names are those of the signature. */
export interface Engine {
  readonly name: string;
  readonly backend: string;
  /** Tensors alive inside the engine: weights only, between two runs. */
  readonly liveTensors: number;
  run(inputs: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  dispose(): void;
}

/** What an engine's script registers: bytes in, engine out. It never fetches. */
export type EngineFactory = (
  model: ModelConfig,
  files: { topology: Uint8Array; weights: Uint8Array; wasm: Uint8Array },
) => Promise<Engine>;

/** What a task's script is given to work with. */
export interface DemoHost {
  readonly config: DemoConfig;
  /** Loads engine and model once; later calls give the same promise (a failed load may be tried again). */
  load(): Promise<Engine>;
  /** Runs the model on one input tensor and reports latency on the element; gives the first output. */
  run(input: Tensor): Promise<{ output: Tensor; milliseconds: number }>;
  /** The bytes of sample `index` as a Blob of its type. */
  sample(index: number): Promise<Blob>;
  /** Shows a plain sentence to the visitor (null clears it). The demo stays usable. */
  fail(message: string | null): void;
}

/** A task: mounts its user interface under `root`; gives back what undoes it. */
export interface Task {
  mount(root: HTMLElement, host: DemoHost): () => void;
}

export interface SitegenGlobal {
  engines: Record<string, EngineFactory>;
  tasks: Record<string, Task>;
}

declare global {
  /** Made by whichever script comes first: `(globalThis.sitegen ??= { engines: {}, tasks: {} })`. */
  var sitegen: SitegenGlobal | undefined;
}
