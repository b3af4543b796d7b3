/** What a package of the task takes and gives (package/types.ts). */

import type { Classes, Row } from '../../package/types';

export type Input = Row;

export interface Options {}

export type Result = Classes;
