/** A class without a name is called by its number. */
export const labelOf = (labels: string[], kind: number): string => labels[kind] ?? `Class ${kind}`;
