/** The task image-classification: a picture in; a bar for every class, and perhaps what of the picture speaks for the best. */

import { registerPictures } from '../pictures/demo';
import { foundIn } from './result';
import { View } from './view';
import './style.css';

registerPictures('image-classification', {
  result: (outputs, _, config) => foundIn(outputs, config),
  View,
  seen: true,
});
