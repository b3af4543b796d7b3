/** Scores as packages tell them. */

import type { DemoConfig } from '../shared/contract';
import { best, shown, type Score } from '../widgets/common/scores';
import type { Classes, ClassScore } from './types';

export function classesOf(scores: Score[], { output }: DemoConfig): Classes {
  const top = shown(scores, output.topK!).map(classOf);
  const { label, score } = classOf(best(scores));
  return { label, score, classes: top.sort((a, b) => b.score - a.score) };
}

const classOf = ({ index, label, value }: Score): ClassScore => ({ index, label, score: value });
