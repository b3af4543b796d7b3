/** The worker's end of an engine: requests in, replies out, one at a time and in order. */

import type {
  EngineFiles,
  EngineReply,
  EngineRequest,
  ModelConfig,
  RunResult,
  Tensors,
} from '../shared/contract';
import { wordsOf } from '../shared/memory';

/** A model inside the worker. */
export interface LoadedModel {
  readonly name: string;
  readonly backend: string;
  run(inputs: Tensors, bare?: boolean): Promise<RunResult>;
  dispose(): void;
}

/** What an engine is: bytes in, model out. */
export type Load = (model: ModelConfig, files: EngineFiles) => Promise<LoadedModel>;

declare const self: DedicatedWorkerGlobalScope;

export function serve(load: Load): void {
  let model: LoadedModel | null = null;
  let last: Promise<void> = Promise.resolve();

  const answer = async (request: EngineRequest): Promise<EngineReply> => {
    const id = request.id;
    try {
      if (request.verb === 'load') {
        model?.dispose();
        model = null;
        model = await load(request.model, request.files);
        return { id, ok: true, value: { name: model.name, backend: model.backend } };
      }
      if (!model) throw new Error('no model is loaded');
      return { id, ok: true, value: await model.run(request.inputs, request.bare) };
    } catch (error) {
      return { id, ok: false, error: wordsOf(error) };
    }
  };

  self.onmessage = (event: MessageEvent<EngineRequest>) => {
    last = last.then(async () => self.postMessage(await answer(event.data)));
  };
}
