/** What packages of tasks that take a row share. */

import type { Feature } from '../../shared/contract';
import type { PackageHost } from '../../package/make';
import type { Row as Named } from '../../package/types';
import type { Row } from './features';
import { predict } from './predict';

/** The model's output for a row by names. Throws what is wrong with the row. */
export async function outputOf(named: Named, host: PackageHost): Promise<ArrayLike<number>> {
  const ran = await predict([rowOf(named, host.config.takes.columns!)], host, () => true);
  return ran!.outputs[0]!;
}

function rowOf(named: Named, features: Feature[]): Row {
  if (typeof named !== 'object' || named === null)
    throw new Error('the input is a row: {column: value, ...}');
  const unknown = Object.keys(named).find((name) => !features.some((feature) => feature.name === name));
  if (unknown !== undefined) {
    throw new Error(
      `there is no column "${unknown}", but ${features.map(({ name }) => `"${name}"`).join(', ')}`,
    );
  }
  return features.map((feature) => {
    const value = named[feature.name];
    if (value === undefined) throw new Error(`the column "${feature.name}" is missing`);
    if (feature.kind === 'choice') return choiceOf(value, feature);
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    throw new Error(`"${feature.name}" has to be a number, not ${JSON.stringify(value)}`);
  });
}

function choiceOf(value: number | string, { name, choices }: Extract<Feature, { kind: 'choice' }>): number {
  const index = choices.indexOf(String(value));
  if (index >= 0) return index;
  throw new Error(`"${name}" has to be one of ${choices.join(', ')}, not ${JSON.stringify(value)}`);
}
