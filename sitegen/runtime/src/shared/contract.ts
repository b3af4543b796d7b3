/**
 * The types that the runtime's scripts share. Each script is bundled on its own (classic scripts, no modules at run
 * time): a page's scripts meet through one global (task.ts); the engine runs in a worker and is spoken to by messages.
 *
 * The JSON shapes (PageConfig and below) are written by Python: sitegen/bundle.py and sitegen/assemble.py.
 */

/**
 * A file carried in chunks: `bytes` is its decoded length; chunks are [sha-256, payload bytes]. `deflate`, which has a head
 * and a sum, is that of packages: Node 18 inflates no other.
 */
export interface FileRef {
  bytes: number;
  encoding: 'identity' | 'deflate-raw' | 'deflate';
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
}

export type ImageSource = 'draw' | 'upload' | 'camera' | 'video' | 'samples';

/** How a picture becomes the input tensor: y = (x * scale - mean[c]) / std[c], x in 0..255. */
export interface ImageInput {
  width: number;
  height: number;
  channels: 1 | 3;
  resize: 'stretch' | 'center-crop' | 'whole-crop' | 'letterbox';
  /** The share of each side of what that gives that is taken, out of its middle. */
  crop: number;
  /** Without it, what is shrunk is bilinear between the four pixels around each place. */
  /** How bright what is around a letterboxed picture is. */
  pad: number;
  antialias: boolean;
  invert: boolean;
  scale: number;
  mean: number[];
  std: number[];
  sources: ImageSource[];
  /** The most pictures a second that are taken of camera and films. */
  maxFps: number;
  /** Pen width as a fraction of the canvas; `fit`: the ink fills this fraction of the input (null: as drawn). */
  draw: { stroke: number; fit: number | null };
}

/** What a number in a box's row is; xmid and ymid are the box's middle. */
export type Column =
  'xmin' | 'ymin' | 'xmax' | 'ymax' | 'xmid' | 'ymid' | 'width' | 'height' | 'score' | 'class';

/** Where a detector's boxes are among its outputs; made by sitegen/tasks/object_detection.py. */
export type BoxesConfig = {
  columns: Column[];
  /** Boxes are measured in pixels of the model's input, or in fractions of it. */
  units: 'pixels' | 'fraction';
  /** The least score that is shown at first. */
  threshold: number;
  /** Boxes go that overlap a better one of their class by more; null: the model does that. */
  iou: number | null;
  /** The number of the class that the labels begin with. */
  firstClass: number;
} & (
  | { /** [1, boxes, columns] */ form: 'rows'; rows: string }
  | {
      /** Boxes [1, boxes, 4]; scores and classes [1, boxes], or scores [1, boxes, classes] alone. */
      form: 'lists';
      boxes: string;
      scores: string;
      classes: string | null;
    }
  | {
      /** Of grids with `side` cells a side and `each` boxes a cell: boxes [1, k, 16], scores [1, k, 1] as logits. */
      form: 'blazeface';
      heads: BlazeFaceHead[];
    }
);

/** How a log-mel spectrogram is computed; lengths are in samples, `low` and `high` in Hz. */
export interface SpectrogramConfig {
  frame: number;
  hop: number;
  mels: number;
  low: number;
  high: number;
  /** Of the magnitudes: 2 is energy. */
  power: 1 | 2;
  /** What is added before the natural logarithm is taken. */
  logOffset: number;
}

/** How sound becomes the input tensor; made by sitegen/tasks/audio_classification.py. */
export interface AudioInput {
  /** Samples a second. */
  rate: number;
  /** What the model hears at once, and from one window to the next, in samples. */
  window: number;
  step: number;
  /** `max`: a window is divided by its largest sample. */
  normalize: 'none' | 'max';
  /** Null for models that take the samples themselves. */
  spectrogram: SpectrogramConfig | null;
  /** How many MFCCs are made of each of its frames; null: none, it is what the model takes. */
  coefficients: number | null;
  /** The input's. */
  shape: number[];
}

export interface BlazeFaceHead {
  boxes: string;
  scores: string;
  side: number;
  each: number;
}

/** Where a model's key points are among its outputs; made by sitegen/tasks/pose_estimation.py. */
export type PointsConfig = {
  /** How many points a pose has, and what they are called, if they have names. */
  count: number;
  names: string[];
  /** Numbers of the points that a line is drawn between. */
  limbs: [number, number][];
  /** The least score that is shown at first. */
  threshold: number;
} & (
  | {
      /** Of each pose, of each of its points, the columns: [1, points, columns], [1, poses, points, columns], or flat. */
      form: 'rows';
      points: string;
      columns: ('x' | 'y' | 'score')[];
      units: 'pixels' | 'fraction';
    }
  | { /** [1, height, width, points] */ form: 'maps'; points: string }
  | { /** As of BoxesConfig. */ form: 'blazeface'; heads: BlazeFaceHead[] }
);

/**
 * A feature of a table's rows, and where it goes in the model: into the input of that name, from the number `at` of its
 * row on. Made by sitegen/tasks/tables.py. A feature's value is a number, or the index of a choice.
 */
export type Feature = {
  name: string;
  default: number;
  input: string;
  at: number;
} & (
  | {
      kind: 'number';
      unit: string;
      min: number;
      max: number;
      step: number;
      /** The model is given (x - mean) / std. */
      mean: number;
      std: number;
    }
  | {
      kind: 'choice';
      choices: string[];
      /** The model is given a 1 at the choice's place among zeros; else its index. */
      oneHot: boolean;
    }
);

/** How a text becomes the model's input, as Keras's TextVectorization does it; the vocabulary is a file of its own. */
export interface TextConfig {
  standardize: 'lower_and_strip_punctuation' | 'lower' | 'strip_punctuation' | 'none';
  split: 'whitespace' | 'character';
  /** How many neighbours are a token. */
  ngrams: number[];
  /** The number of each token; or for each entry of the vocabulary, whether or how often it is in the text. */
  mode: 'int' | 'multi_hot' | 'count';
  /** How many numbers the model is given; null: as many as there are tokens. */
  length: number | null;
}

/** What a task takes that is no picture, or more than one; made by the task's half in sitegen/tasks/. */
export interface Takes {
  audio: AudioInput;
  clip: ClipInput;
  columns: Feature[];
  text: TextConfig;
}

/** Frames of a film or a camera that a model is shown at once, [N, frames, height, width, channels]. */
export interface ClipInput {
  /** How each frame becomes numbers. */
  frame: ImageInput;
  frames: number;
  /** Frames a second, and frames from one clip to the next. */
  fps: number;
  stride: number;
}

/** What becomes of the outputs; which keys there are is the task's to say. */
export interface OutputConfig {
  activation: 'none' | 'softmax' | 'sigmoid';
  topK: number;
  /** Names of groups of classes, and the number of each class's group. */
  groups: { names: string[]; of: number[] };
  /** The output with a map for each class of how much its places speak for it: [1, height, width, classes]. */
  heatmap: string;
  boxes: BoxesConfig;
  points: PointsConfig;
  /** What a number is measured in; empty where nobody says. */
  unit: string;
}

/**
 * How a single-shot detector's two heads become boxes. Codes are those of Faster R-CNN (Ren et al., 2015, equation 2):
 * ty, tx, th, tw, each divided by its `scales`. Anchors are float32 [anchors, 4]: ymin, xmin, ymax, xmax in 0..1.
 */
export interface DetectionConfig {
  /** Tensors of the graph: codes, [batch, ..., anchors, 4], and scores in 0..1, [batch, anchors, columns]. */
  boxes: string;
  scores: string;
  anchors: FileRef;
  scales: number[];
  /** Columns of the scores before the first class, and what that class is called in the results. */
  background: number;
  firstClass: number;
  /** Boxes go that overlap a better one of their class by more than `iou`, or that score no more than `score`. */
  iou: number;
  score: number;
  /** The most boxes of a class, and of a picture. */
  perClass: number;
  total: number;
}

export interface ModelConfig {
  /** The graph as its engine takes it: a plan (docs/plan-format.md), or TF.js's topology. */
  graph: FileRef;
  /** docs/weights-format.md. */
  weights: FileRef;
  /** Of a detector with `detection`, the outputs are detection_boxes and its like, which the graph itself has not. */
  signature: { inputs: TensorSpec[]; outputs: TensorSpec[] };
  detection: DetectionConfig | null;
  /** Golden numbers (shared/proof.ts); none where TensorFlow cannot compute the model, or takes inputs of any size. */
  proof: FileRef | null;
  quantization: string;
  /** What that lost, as people read it; empty where it was not measured. */
  lost: string;
  weightBytes: number;
  parameters: number;
}

/** `plan` or `graph`: the script is run in a worker; of the two builds of the backend a page loads the one its browser can run. */
export interface EngineConfig {
  name: string;
  script: FileRef;
  wasm: { simd: FileRef; plain: FileRef };
  variants: VariantConfig[];
}

/**
 * Another way to run what the engine runs, by the name of its backend. No page needs it: it is loaded where it was proven
 * and measured on the visitor's device (page/ways.ts). `wasm` is its own build of the backend, if it has one.
 */
export interface VariantConfig {
  backend: string;
  script: FileRef;
  wasm: FileRef | null;
}

export interface DemoConfig {
  task: string;
  title: string;
  engine: EngineConfig;
  /** `wasm`, a variant that may take its place, or `auto` for any. */
  backend: string;
  model: ModelConfig;
  /** None for tasks that take no picture. */
  input: ImageInput | null;
  takes: Partial<Takes>;
  output: Partial<OutputConfig>;
  /** What the task fetches besides, by the name that visitors are told. */
  files: Record<string, FileRef>;
  labels: string[];
  samples: { name: string; type: string; file: FileRef }[];
}

/** What a page's script reads from `<script type="application/json" id="sitegen-page">`. */
export interface PageConfig {
  format: 1;
  /** Path from the site's root, as it stands in addresses, and the relative URL back to that root. */
  page: string;
  root: string;
  offline: 'auto' | 'ask' | 'never';
  /** Served by `sitegen serve`: nothing is kept. */
  preview: boolean;
  /** Of a site that has no service worker any more: nothing is kept. */
  retired: boolean;
  /** Handed on without its site, as one file or in an archive: nothing is kept. */
  alone: boolean;
  /** Files of this page alone (task script, pictures in the text). */
  assets: AssetRef[];
  demo: DemoConfig | null;
}

export interface Tensor {
  dtype: DType;
  shape: number[];
  data: Float32Array | Int32Array | Uint8Array;
}

export type Tensors = Record<string, Tensor>;

export interface RunResult {
  outputs: Tensors;
  /** Time in the engine alone, without the way there and back. */
  milliseconds: number;
  /** Tensors alive between runs: it must not grow. */
  tensors: number;
}

/** A model that is loaded and ready; names are those of the signature. */
export interface Engine {
  /** `wasm`, or the variant's. */
  readonly way: string;
  readonly name: string;
  readonly backend: string;
  /** `bare`: what the graph itself ends in, which of a detector are its heads. */
  run(inputs: Tensors, bare?: boolean): Promise<RunResult>;
  dispose(): void;
}

/** Everything an engine needs, as bytes: it never fetches. */
export interface EngineFiles {
  graph: Uint8Array;
  weights: Uint8Array;
  /** Of detectors alone. */
  anchors: Uint8Array | null;
  /** None for engines that run elsewhere. */
  wasm: Uint8Array | null;
  simd: boolean;
}

/** The messages to an engine's worker, and back. */
export type EngineRequest =
  | { id: number; verb: 'load'; model: ModelConfig; files: EngineFiles }
  | { id: number; verb: 'run'; inputs: Tensors; bare?: boolean };
export type EngineReply =
  | { id: number; ok: true; value: { name: string; backend: string } | RunResult }
  | { id: number; ok: false; error: string };

/** The messages to the service worker, each answered on the port that comes along. */
export type WorkerRequest =
  { verb: 'status'; page: string } | { verb: 'keep'; page: string } | { verb: 'remove'; page: string };
export interface WorkerReply {
  kept: boolean;
  /** Whether it isolates pages from other sites when they are loaded. */
  isolated: boolean;
  /** Why it is not kept, where that was asked for. */
  error?: string;
}
