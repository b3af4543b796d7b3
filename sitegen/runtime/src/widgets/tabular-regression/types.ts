/** What a package of the task takes and gives (package/types.ts). */

import type { Label, Row } from '../../package/types';

export type Input = Row;

export interface Options {}

export interface Result {
  /** The first of the results, which is the only one of most models. */
  value: number;
  /** What results are measured in; empty where the page does not say. */
  unit: string;
  results: { label: Label; value: number }[];
}
