/** What the model found, in terms of the picture and of the labels; and the same as others' services tell it. */

import type { DemoConfig, Tensors } from '../../shared/contract';
import { labelOf } from '../common/labels';
import type { Given } from '../pictures/demo';
import { candidates, suppressed, type Candidate, type Corners } from './boxes';
import type { Result } from './types';

/** A thing in the picture; its box is in fractions of the whole picture, and within it. */
export interface Found extends Candidate {
  label: string;
}

/** What scores less is not shown, however low visitors set the threshold. */
export const LEAST = 0.05;
const MOST = 100;

/** Everything that was found, best first. */
export function foundIn(outputs: Tensors, { picture, box }: Given, config: DemoConfig): Found[] {
  const told = config.output.boxes!;
  const logits = config.output.activation === 'sigmoid';
  const all = candidates(outputs, told, logits, config.input!, LEAST);
  return suppressed(all, told.iou, MOST).map((one) => {
    const [ymin, xmin, ymax, xmax] = one.box;
    const down = (y: number): number => inside((box.top + y * box.height) / picture.height);
    const across = (x: number): number => inside((box.left + x * box.width) / picture.width);
    const placed: Corners = [down(ymin), across(xmin), down(ymax), across(xmax)];
    return { ...one, box: placed, label: labelOf(config.labels, one.class) };
  });
}

const inside = (value: number): number => Math.min(1, Math.max(0, value));

/** As the Object Detector of IBM's Model Asset Exchange answers; a label's id is the number that the model gives. */
export function answerOf(found: Found[], firstClass: number): Result {
  const rounded = (value: number): number => Number(value.toFixed(6));
  const predictions = found.map((one) => ({
    label_id: String(one.class + firstClass),
    label: one.label,
    probability: rounded(one.score),
    detection_box: one.box.map(rounded) as Corners,
  }));
  return { status: 'ok', predictions };
}

export function asJson(found: Found[], firstClass: number): string {
  const text = JSON.stringify(answerOf(found, firstClass), null, 1);
  // A box on one line.
  return text.replace(/\[\s+([-\d.e,\s]+?)\s+\]/g, (_, box: string) => `[${box.replace(/\s+/g, ' ')}]`);
}
