/** Boxes as numbers: ymin, xmin, ymax, xmax, from a place in an array on. */

type Numbers = ArrayLike<number>;

export function area(boxes: Numbers, at = 0): number {
  return (boxes[at + 2]! - boxes[at]!) * (boxes[at + 3]! - boxes[at + 1]!);
}

/** Intersection over union of two boxes; 0 where they have no area. */
export function overlap(a: Numbers, b: Numbers, i = 0, j = 0): number {
  const height = Math.min(a[i + 2]!, b[j + 2]!) - Math.max(a[i]!, b[j]!);
  const width = Math.min(a[i + 3]!, b[j + 3]!) - Math.max(a[i + 1]!, b[j + 1]!);
  if (height <= 0 || width <= 0) return 0;
  return (height * width) / (area(a, i) + area(b, j) - height * width);
}
