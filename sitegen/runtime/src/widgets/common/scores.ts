/** Logits or probabilities -> named scores. */

import type { DemoConfig, OutputConfig } from '../../shared/contract';
import { labelOf } from './labels';

export interface Score {
  index: number;
  label: string;
  value: number;
}

const FIXED_ROWS = 10;

/**
 * The score of every class, in the model's order. One number alone is the score of the second of two classes, unless just
 * one has a name.
 */
export function scoresOf(output: ArrayLike<number>, config: DemoConfig): Score[] {
  const values = activated(Array.from(output), config.output.activation ?? 'none');
  return named(isPair(values.length, config) ? [1 - values[0]!, values[0]!] : values, config);
}

/** The classes without scores, as many as there are going to be. */
export function unscored(config: DemoConfig): Score[] {
  const told = config.model.signature.outputs[0]!.shape.at(-1) ?? -1;
  const count = told > 0 ? told : config.labels.length;
  return named(new Array<number>(isPair(count, config) ? 2 : count).fill(0), config);
}

const isPair = (count: number, config: DemoConfig): boolean => count === 1 && config.labels.length !== 1;

export const named = (values: number[], config: DemoConfig): Score[] =>
  values.map((value, index) => ({ index, label: labelOf(config.labels, index), value }));

function activated(logits: number[], activation: OutputConfig['activation']): number[] {
  if (activation === 'sigmoid') return logits.map((x) => 1 / (1 + Math.exp(-x)));
  if (activation === 'none') return logits;
  const highest = Math.max(...logits);
  const powers = logits.map((x) => Math.exp(x - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** What is shown: a few classes keep their rows, so that the eye can stay; of many, the best. */
export function shown(scores: Score[], topK: number): Score[] {
  if (scores.length <= FIXED_ROWS) return scores;
  return [...scores].sort((a, b) => b.value - a.value).slice(0, topK);
}

export function best(scores: Score[]): Score {
  return scores.reduce((a, b) => (b.value > a.value ? b : a));
}

export const percent = (value: number): string => `${(value * 100).toFixed(1)} %`;
