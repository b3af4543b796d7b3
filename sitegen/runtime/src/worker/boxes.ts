/**
 * The heads of a single-shot detector -> boxes, as the TensorFlow Object Detection API makes them: decoded, those that
 * overlap a better one of their class left out, cut off at the picture's edges. sitegen/graph/boxes.py is the same in
 * Python.
 */

import { area, overlap } from '../shared/boxes';
import type { DetectionConfig, Tensor, Tensors } from '../shared/contract';
import { Best } from './best';

type Detection = Omit<DetectionConfig, 'anchors'>;

/** A box that stays: what it shows, which anchor it is of, and how sure that is. */
interface Kept {
  class: number;
  anchor: number;
  score: number;
}

/** The outputs of a detector by their names in the API, each with a row for every picture, best box first. */
export function detect(
  codes: Float32Array,
  scores: Float32Array,
  anchors: Float32Array,
  detection: Detection,
): Tensors {
  const { total, firstClass } = detection;
  const batch = codes.length / anchors.length;
  const columns = scores.length / codes.length;
  const found = {
    detection_boxes: zeros(batch, total, 4),
    detection_scores: zeros(batch, total),
    detection_classes: zeros(batch, total),
    num_detections: zeros(batch),
  };
  for (let picture = 0; picture < batch; picture++) {
    const start = picture * anchors.length;
    const end = start + anchors.length;
    const boxes = decoded(codes.subarray(start, end), anchors, detection.scales);
    const kept = suppressed(boxes, scores.subarray(start * columns, end * columns), detection);
    kept.forEach((box, row) => {
      const at = picture * total + row;
      found.detection_boxes.data.set(inside(boxes, box.anchor), at * 4);
      found.detection_scores.data[at] = box.score;
      found.detection_classes.data[at] = box.class + firstClass;
    });
    found.num_detections.data[picture] = kept.length;
  }
  return found;
}

function zeros(...shape: number[]): Tensor {
  return { dtype: 'float32', shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) };
}

/** The boxes of one picture: ymin, xmin, ymax, xmax, one after the other. */
function decoded(codes: Float32Array, anchors: Float32Array, scales: number[]): Float32Array {
  const boxes = new Float32Array(anchors.length);
  for (let at = 0; at < boxes.length; at += 4) {
    for (const axis of [0, 1]) {
      const low = anchors[at + axis]!;
      const size = anchors[at + 2 + axis]! - low;
      const middle = (codes[at + axis]! / scales[axis]!) * size + low + size / 2;
      const half = (Math.exp(codes[at + 2 + axis]! / scales[2 + axis]!) * size) / 2;
      boxes[at + axis] = middle - half;
      boxes[at + 2 + axis] = middle + half;
    }
  }
  return boxes;
}

/** What stays of one picture's boxes, best first; of equals, the first class's first anchor. */
function suppressed(boxes: Float32Array, scores: Float32Array, detection: Detection): Kept[] {
  const { background, iou, score, perClass, total } = detection;
  const columns = (scores.length / boxes.length) * 4;
  // An index is that of a score: anchor * columns + column.
  const wanted = new Uint32Array(scores.length);
  let count = 0;
  for (let index = 0; index < scores.length; index++) {
    if (scores[index]! > score && index % columns >= background) wanted[count++] = index;
  }
  const best = new Best(wanted.subarray(0, count), (a, b) => {
    if (scores[a] !== scores[b]) return scores[a]! > scores[b]!;
    return (a % columns) - (b % columns) < 0 || (a % columns === b % columns && a < b);
  });
  const chosen = Array.from({ length: columns }, (): number[] => []);
  const kept: Kept[] = [];
  for (let index = best.next(); index !== null && kept.length < total; index = best.next()) {
    const anchor = Math.floor(index / columns);
    const own = chosen[index % columns]!;
    if (own.length >= perClass || own.some((other) => overlap(boxes, boxes, anchor * 4, other * 4) > iou))
      continue;
    own.push(anchor);
    // A box without area inside the picture counts for its class and is not reported.
    if (area(inside(boxes, anchor)) > 0) {
      kept.push({ class: (index % columns) - background, anchor, score: scores[index]! });
    }
  }
  return kept;
}

/** A box cut off at the picture's edges. */
function inside(boxes: Float32Array, index: number): Float32Array {
  return boxes.slice(index * 4, index * 4 + 4).map((value) => Math.min(Math.max(value, 0), 1));
}
