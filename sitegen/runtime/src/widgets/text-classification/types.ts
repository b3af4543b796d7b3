/** What a package of the task takes and gives (package/types.ts). */

import type { Classes } from '../../package/types';

export type Input = string;

export interface Options {}

export type Result = Classes;
