/** The task in an npm package. */

import { classesOf } from '../../package/classes';
import { maker } from '../../package/make';
import { scoresOf } from '../common/scores';
import { outputOf } from '../tables/package';
import type { Input, Options, Result } from './types';

export const make = maker<Input, Options, Result>(
  async (host) => async (row) => classesOf(scoresOf(await outputOf(row, host), host.config), host.config),
);
