import type { DemoConfig } from '../../shared/contract';

/** A result without a name is just that. */
export const nameOf = (config: DemoConfig, index: number): string => config.labels[index] ?? 'Result';
