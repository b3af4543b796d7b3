/** Rows of a table as CSV (RFC 4180, a row a line); the build has checked them by the same rules: sitegen/tasks/rows.py. */

import type { Feature } from '../../shared/contract';
import type { Row } from './features';

/** A row to try, and what is known of it. */
export interface Sample {
  row: Row;
  truth: string | null;
}

const TRUTH = ['label', 'target'];

export function samplesIn(text: string, features: Feature[]): Sample[] {
  const [names, ...rows] = text
    .split(/\r\n|\n|\r/)
    .filter((line) => line.trim())
    .map(cells);
  const known = names!.findIndex(
    (name) => TRUTH.includes(name) && !features.some((one) => one.name === name),
  );
  return rows.map((row) => ({
    row: features.map((feature) => {
      const value = row[names!.indexOf(feature.name)]!;
      return feature.kind === 'choice' ? feature.choices.indexOf(value) : Number(value);
    }),
    truth: known < 0 ? null : row[known]!,
  }));
}

function cells(line: string): string[] {
  const found = line.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*))(,|$)/g);
  const made: string[] = [];
  for (const [, quoted, open, end] of found) {
    made.push(quoted === undefined ? open!.trim() : quoted.replaceAll('""', '"'));
    if (!end) break;
  }
  return made;
}
