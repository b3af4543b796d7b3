/** What a page needs besides the site's shell: the files that are stored when it is kept offline. */

import { chunkPath } from './chunk';
import type { EngineConfig, FileRef, ModelConfig, PageConfig } from './contract';

/** A file to store: `chunk` is the id when it is a chunk file, whose `bytes` are then those of its payload. */
export interface Need {
  path: string;
  bytes: number;
  sha256: string;
  chunk: boolean;
}

/** Files of a page that belong together; `what` tells a visitor what they are. */
export interface Part {
  what: string;
  needs: Need[];
}

/**
 * What the page is made of, each file once, and no part without any; of the two builds of the backend, the one that this
 * browser runs.
 */
export function partsOf(page: PageConfig): Part[] {
  const parts = page.assets.map((ref): Part => ({
    what: ref.path.slice(ref.path.lastIndexOf('/') + 1),
    needs: [{ ...ref, chunk: false }],
  }));
  const files = (what: string, ...refs: FileRef[]): void => {
    const chunks = refs.flatMap((ref) => ref.chunks);
    parts.push({ what, needs: chunks.map(([id, bytes]) => chunkNeed(id, bytes)) });
  };
  if (page.demo) {
    const { engine, model, samples, files: own } = page.demo;
    files('Engine', engine.script, backendOf(engine));
    files('Model', ...modelFiles(model));
    if (model.proof) files('Numbers to check it by', model.proof);
    for (const [name, ref] of Object.entries(own)) files(name, ref);
    files('Samples', ...samples.map(({ file }) => file));
  }
  const seen = new Set<string>();
  const first = ({ path }: Need): boolean => !seen.has(path) && Boolean(seen.add(path));
  const once = parts.map(({ what, needs }) => ({ what, needs: needs.filter(first) }));
  return once.filter(({ needs }) => needs.length > 0);
}

/** Every file of the page, each once. */
export const needsOf = (page: PageConfig): Need[] => partsOf(page).flatMap(({ needs }) => needs);

/**
 * The files of the engine's variants, or of one: kept where they are there already, but no page needs them, and none
 * waits for them.
 */
export function sparesOf(page: PageConfig, backend: string | null = null): Need[] {
  const variants = page.demo?.engine.variants.filter((v) => backend === null || v.backend === backend) ?? [];
  const files = variants.flatMap(({ script, wasm }) => (wasm ? [script, wasm] : [script]));
  return files.flatMap((file) => file.chunks.map(([id, bytes]) => chunkNeed(id, bytes)));
}

const chunkNeed = (id: string, bytes: number): Need => ({
  path: chunkPath(id),
  bytes,
  sha256: id,
  chunk: true,
});

/** The files that a model is made of: graph, weights, and a detector's anchors. */
export function modelFiles(model: ModelConfig): FileRef[] {
  return [model.graph, model.weights, ...(model.detection ? [model.detection.anchors] : [])];
}

// A module whose one function holds a SIMD instruction (i8x16.splat, i8x16.popcnt): valid only where SIMD is.
const SIMD_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98,
  11,
];

export function simdSupported(): boolean {
  return WebAssembly.validate(new Uint8Array(SIMD_PROBE));
}

/** The build of the WebAssembly backend for this browser. */
export function backendOf(engine: EngineConfig): FileRef {
  return simdSupported() ? engine.wasm.simd : engine.wasm.plain;
}

const CONFIG = /<script type="application\/json" id="sitegen-page">([^<]*)<\/script>/;

/** The configuration inside a page's HTML; null when it has none. */
export function configIn(html: string): PageConfig | null {
  const found = CONFIG.exec(html);
  return found?.[1] ? (JSON.parse(found[1]) as PageConfig) : null;
}
