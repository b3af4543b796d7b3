/** The task object-detection: a picture in; boxes with labels over it, and as JSON. */

import { registerPictures } from '../pictures/demo';
import { foundIn } from './result';
import { View } from './view';
import './style.css';

registerPictures('object-detection', { result: foundIn, View, seen: false });
