/** The task image-segmentation: a picture in; a colour for each class over it, with a legend. */

import { registerPictures } from '../pictures/demo';
import { segmentsOf } from './result';
import { View } from './view';
import './style.css';

registerPictures('image-segmentation', {
  result: (outputs, given, { model, output }) =>
    segmentsOf(outputs[model.signature.outputs[0]!.name]!, output.activation, given),
  View,
  seen: false,
});
