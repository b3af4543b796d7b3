/**
 * tfjs-core as its GPU backends need it: without optimizers, which the package's own index registers. In the scripts of
 * those backends it stands in for @tensorflow/tfjs-core (build.mjs).
 */

import '@tensorflow/tfjs-core/dist/base_side_effects';

export * from '@tensorflow/tfjs-core/dist/base';
