"""The models whose numbers are compared: one line more is one model more.

A generated one is a function that gives a Keras model; its inputs are random, of the shapes it declares. A published
one is a file, with a function that gives what Python makes of an input.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

Model = keras.Model


def dense() -> Model:
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(7, activation="tanh"), layers.BatchNormalization(), layers.Dense(3)]
    )


def cnn() -> Model:
    return keras.Sequential(
        [
            keras.Input((9, 8, 3)),
            layers.Conv2D(6, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(),
            layers.MaxPooling2D(),
            layers.Conv2D(4, 3, strides=2, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3, activation="softmax"),
        ]
    )


def depthwise() -> Model:
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(max_value=6.0),
            layers.SeparableConv2D(5, 3, activation="swish"),
            layers.PReLU(shared_axes=[1, 2]),
            layers.Flatten(),
            layers.Dense(2),
        ]
    )


def residual() -> Model:
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same")(x)
    y = layers.BatchNormalization()(y)
    y = layers.Add()([x, layers.ReLU()(y)])
    y = layers.Concatenate()([y, layers.UpSampling2D()(layers.AveragePooling2D(2)(y))])
    return Model(x, layers.Conv2DTranspose(3, 3, strides=2)(y))


def multi_input() -> Model:
    a, b = keras.Input((4,), name="a"), keras.Input((6,), name="b")
    return Model([a, b], layers.Dense(3)(layers.Concatenate()([layers.Dense(2)(a), b])))


def multi_output() -> Model:
    x = keras.Input((4,))
    return Model(x, [layers.Dense(n + 1, activation="sigmoid")(x) for n in range(12)])


def lstm() -> Model:
    return keras.Sequential([keras.Input((6, 4)), layers.LSTM(5, return_sequences=True), layers.LSTM(3)])


def gru() -> Model:
    return keras.Sequential([keras.Input((6, 4)), layers.GRU(5), layers.Dense(2)])


def long_sequence() -> Model:
    return keras.Sequential([keras.Input((300, 2)), layers.LSTM(3), layers.Dense(2)])


def any_length() -> Model:
    return keras.Sequential([keras.Input((None, 2)), layers.GRU(3, return_sequences=True), layers.Dense(2)])


def bidirectional() -> Model:
    return keras.Sequential([keras.Input((6, 4)), layers.Bidirectional(layers.LSTM(3)), layers.Dense(2)])


def attention() -> Model:
    x = keras.Input((6, 8))
    y = layers.LayerNormalization()(layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)]))
    y = layers.Add()([y, layers.Dense(8)(layers.Dense(16, activation="gelu")(y))])
    return Model(x, layers.GlobalMaxPooling1D()(y))


def embedding() -> Model:
    x = keras.Input((7,), dtype="int32")
    return Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(layers.Embedding(10, 4)(x))))


def conv1d() -> Model:
    return keras.Sequential(
        [
            keras.Input((20, 3)),
            layers.Conv1D(4, 5, padding="causal", dilation_rate=2, activation="elu"),
            layers.MaxPooling1D(),
            layers.Conv1D(2, 3),
            layers.Flatten(),
        ]
    )


def conv3d() -> Model:
    return keras.Sequential(
        [
            keras.Input((4, 8, 8, 2)),
            layers.Conv3D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling3D((1, 2, 2)),
            layers.Conv3D(2, (3, 1, 1)),
            layers.Flatten(),
        ]
    )


def preprocessing() -> Model:
    return keras.Sequential(
        [
            keras.Input((10, 12, 3)),
            layers.Resizing(6, 6),
            layers.Rescaling(1 / 127.5, offset=-1),
            layers.Normalization(mean=[0.1, 0.2, 0.3], variance=[1.0, 2.0, 3.0]),
            layers.CenterCrop(4, 4),
            layers.Flatten(),
        ]
    )


def mixed_precision() -> Model:
    x = keras.Input((8,))
    y = layers.Dense(6, activation="relu", dtype="mixed_float16")(x)
    return Model(x, layers.Dense(2, dtype="float32")(y))


def any_size() -> Model:
    x = keras.Input((None, None, 1))
    return Model(x, layers.GlobalMaxPooling2D()(layers.Conv2D(3, 3, padding="same")(x)))


GENERATED: tuple[Callable[[], Model], ...] = (
    dense,
    cnn,
    depthwise,
    residual,
    multi_input,
    multi_output,
    lstm,
    gru,
    long_sequence,
    any_length,
    bidirectional,
    attention,
    embedding,
    conv1d,
    conv3d,
    preprocessing,
    mixed_precision,
    any_size,
)


# Recurrent layers over sequences too long to be unrolled, or of any length: they run as loops.
LOOPS = (long_sequence, any_length)


def inputs_of(model: Model, random: np.random.Generator, batch: int) -> list[Any]:
    """Random inputs of a model's declared shapes; 9 where a size is free."""
    made = []
    for tensor in model.inputs:
        shape = (batch, *(size or 9 for size in tensor.shape[1:]))
        if "int" in str(tensor.dtype):
            made.append(random.integers(0, 10, shape).astype(np.int32))
        else:
            made.append(random.normal(size=shape).astype(np.float32))
    return made


# Published models (../shared/models): file, what Python computes with, input shape, lowest and highest input, outputs.
# CenterNet's list of detections is left out: on noise, which of a thousand near ties come first is anybody's guess.
PUBLISHED: tuple[tuple[str, str, tuple[int, ...], float, float, tuple[str, ...]], ...] = (
    ("resnet8_cifar10.h5", "keras", (2, 32, 32, 3), 0, 255, ()),
    ("vww96_mobilenet_v1_025.h5", "tf_keras", (2, 96, 96, 3), 0, 1, ()),
    ("ad01_autoencoder.h5", "keras", (2, 640), -40, 10, ()),
    ("kws_dscnn_saved_model", "saved_model", (2, 49, 10, 1), -20, 20, ()),
    ("centernet_tfjs/centernet.json", "graph", (1, 512, 512, 3), 0, 255, ("tower_0/keypoints", "tower_0/wh")),
    ("blazeface_tfjs/blazeface.json", "graph", (1, 256, 256, 3), -1, 1, ()),
)
