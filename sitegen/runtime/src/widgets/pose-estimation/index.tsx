/** The task pose-estimation: a picture in; key points and the limbs between them over it, and as JSON. */

import { registerPictures } from '../pictures/demo';
import { posesIn } from './result';
import { View } from './view';
import './style.css';

registerPictures('pose-estimation', { result: posesIn, View, seen: false });
