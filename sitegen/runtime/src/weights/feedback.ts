/**
 * Rounding a matrix with error feedback: an error that was made is carried to the weights that come after it, in the
 * directions in which errors add up (GPTQ: Frantar et al., 2022; here in both directions of the matrix).
 */

/** Unit upper triangular factors of how errors add up along rows and columns (sitegen/weights/statistics.py). */
export interface Feedback {
  rows: number;
  columns: number;
  weights: Float64Array;
  /** [rows, rows], or one for each column: [columns, rows, rows]. */
  alongRows: Float32Array;
  perColumn: boolean;
  /** [columns, columns]; null: columns are independent. */
  alongColumns: Float32Array | null;
  rowSteps: Float64Array;
  columnSteps: Float64Array;
}

const LARGEST = 24000;

/** The integers for one global step: weight (i, o) is about q * step * rowSteps[i] * columnSteps[o]. */
export function rounded(task: Feedback, step: number): Int16Array {
  const { rows, columns, weights, alongRows, perColumn, alongColumns, rowSteps, columnSteps } = task;
  const integers = new Int16Array(rows * columns);
  const errors = new Float64Array(rows * columns);
  const carried = new Float64Array(columns);
  const across = new Float64Array(columns);
  for (let i = 0; i < rows; i++) {
    carried.fill(0);
    for (let j = 0; j < i; j++) {
      if (perColumn) {
        for (let o = 0; o < columns; o++) {
          carried[o]! += alongRows[(o * rows + j) * rows + i]! * errors[j * columns + o]!;
        }
      } else {
        const factor = alongRows[j * rows + i]!;
        if (factor === 0) continue;
        for (let o = 0, at = j * columns; o < columns; o++, at++) carried[o]! += factor * errors[at]!;
      }
    }
    across.fill(0);
    for (let o = 0; o < columns; o++) {
      const at = i * columns + o;
      const size = step * rowSteps[i]! * columnSteps[o]!;
      const wanted = weights[at]! + carried[o]! + across[o]!;
      const integer = Math.max(-LARGEST, Math.min(LARGEST, Math.round(wanted / size)));
      const error = weights[at]! - integer * size;
      integers[at] = integer;
      errors[at] = error;
      if (!alongColumns) continue;
      const whole = error + carried[o]!;
      for (let p = o + 1, from = o * columns + o + 1; p < columns; p++, from++) {
        across[p]! += whole * alongColumns[from]!;
      }
    }
  }
  return integers;
}
