/** The task in an npm package. */

import { maker } from '../../package/make';
import { endsOf } from './ends';
import { nested, tensorsOf } from './tensors';
import type { Input, Numbers, Options, Result } from './types';

export const make = maker<Input, Options, Result>(async ({ config, run }) => {
  const { inputs } = endsOf(config);
  return async (given) => {
    const { outputs } = await run(tensorsOf(given, inputs));
    const told = Object.entries(outputs).map(([name, { data, shape }]) => [name, nested(data, shape)]);
    return Object.fromEntries(told) as Record<string, Numbers>;
  };
});
