/** What a package of the task takes and gives (package/types.ts). */

/** Numbers as nested lists; one number alone fills an input whose size is known. */
export type Numbers = number | boolean | Numbers[];

/** By the names of the inputs; one input's value may stand alone. */
export type Input = Numbers | { [name: string]: Numbers };

export interface Options {}

/** The outputs as nested lists, by their names. */
export type Result = { [name: string]: Numbers };
