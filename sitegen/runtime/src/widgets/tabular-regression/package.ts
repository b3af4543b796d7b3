/** The task in an npm package. */

import { maker } from '../../package/make';
import { outputOf } from '../tables/package';
import { nameOf } from './names';
import type { Input, Options, Result } from './types';

export const make = maker<Input, Options, Result>(async (host) => async (row) => {
  const values = Array.from(await outputOf(row, host));
  const results = values.map((value, index) => ({ label: nameOf(host.config, index), value }));
  return { value: values[0]!, unit: host.config.output.unit ?? '', results };
});
