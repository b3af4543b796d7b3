/** Picture files -> pixels. */

import { pixelsOf, type Pixels } from './pixels';

/** Throws a sentence for the visitor when the file is no picture that this browser shows. */
export async function decode(file: Blob): Promise<Pixels> {
  const url = URL.createObjectURL(file);
  try {
    const image = new Image();
    image.src = url;
    await image.decode();
    return pixelsOf(image, image.naturalWidth, image.naturalHeight);
  } catch {
    throw new Error('This file is no picture that your browser can show.');
  } finally {
    URL.revokeObjectURL(url);
  }
}
