/** The task image-classification: a picture in; a bar for every class. */

import { Results } from '../common/results';
import { scoresOf } from '../common/scores';
import { registerPictures } from '../pictures/demo';

registerPictures('image-classification', {
  result: (outputs, _, config) => scoresOf(outputs[config.model.signature.outputs[0]!.name]!.data, config),
  View: Results,
  seen: true,
});
