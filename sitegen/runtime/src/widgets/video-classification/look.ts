/** Shows the model a clip. */

import type { ClipInput } from '../../shared/contract';
import type { DemoHost } from '../../shared/task';
import { scoresOf, type Score } from '../common/scores';
import { clipTensor } from './clips';

/** As sitegen/tasks/video_classification.py calls it: float32, little endian. */
const MEAN = 'Mean clip';

/** What is subtracted from each clip; null where the page has nothing of the kind. */
export async function meanOf(host: Pick<DemoHost, 'config' | 'file'>): Promise<Float32Array | null> {
  return MEAN in host.config.files ? new Float32Array((await host.file(MEAN)).slice().buffer) : null;
}

export interface Look {
  scores: Score[];
  milliseconds: number;
}

/** Null where the model, or the mean of its clips, failed: the visitor was told. */
export type Looker = (frames: Float32Array[]) => Promise<Look | null>;

export function lookerOf(host: DemoHost, clip: ClipInput): Looker {
  const { inputs, outputs } = host.config.model.signature;
  let mean: Promise<Float32Array | null> | null = null;
  const loaded = (): Promise<Float32Array | null> =>
    (mean ??= meanOf(host).catch((error: unknown) => {
      mean = null;
      host.fail(`A file of the demo is missing: ${(error as Error).message}.`);
      throw error;
    }));
  return async (frames) => {
    try {
      const input = clipTensor(frames, clip, await loaded(), inputs[0]!);
      const ran = await host.run({ [inputs[0]!.name]: input });
      const { data, shape } = ran.outputs[outputs[0]!.name]!;
      const scores = scoresOf(data.subarray(0, shape.at(-1)), host.config);
      return { scores, milliseconds: ran.milliseconds };
    } catch {
      return null;
    }
  };
}
