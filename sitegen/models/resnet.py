"""Residual networks as torchvision has them, in TensorFlow's operations: weights of a PyTorch file -> GraphModel.

A state_dict has the weights and not what is computed with them, so that the networks are written out here: those of
He et al., "Deep Residual Learning for Image Recognition" (2015), with blocks of two convolutions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sitegen.errors import SitegenError
from sitegen.models.state_dict import Tensor
from sitegen.records import GraphModel

# How many blocks each of the four stages has.
ARCHITECTURES: Mapping[str, tuple[int, ...]] = {"resnet18": (2, 2, 2, 2), "resnet34": (3, 4, 6, 3)}

_EPSILON = 1e-5
_NORM = ("weight", "bias", "running_mean", "running_var")
_OTHERWISE = (
    f"known: {', '.join(ARCHITECTURES)}; write any other network in Keras, set its layers' weights from this file"
    " (set_weights), and save it as .keras"
)
Weights = Mapping[str, Tensor]


def build(file: str, weights: Weights, architecture: str | None, outputs: Sequence[str]) -> GraphModel:
    """The network `architecture`, or the one that the weights' names are of.

    Pictures go in as [N, height, width, 3], of any size, and logits [N, classes] come out. The first convolution may
    have more or fewer channels than torchvision's 64. Raises SitegenError, about `file`, where the weights do not fit.
    """
    from sitegen.models import convert

    # Of a DataParallel module.
    weights = {name.removeprefix("module."): tensor for name, tensor in weights.items()}
    weights = {name: tensor for name, tensor in weights.items() if not name.endswith(".num_batches_tracked")}
    name = architecture or _recognised(weights)
    if name is None:
        some = ", ".join(list(weights)[:3])
        what = f"{file} has the weights of a network that is not known here: {some}, ..."
        raise SitegenError(what, hint=_OTHERWISE)
    blocks = ARCHITECTURES[name]
    _check(file, weights, name)
    return convert.graph(_Network(weights).graph(blocks), outputs or ["logits"])


def _recognised(weights: Weights) -> str | None:
    def names(blocks: tuple[int, ...]) -> set[str]:
        return {name for name, _ in _expected(blocks, 1, 1)}

    return next((name for name, blocks in ARCHITECTURES.items() if names(blocks) == weights.keys()), None)


def _check(file: str, weights: Weights, architecture: str) -> None:
    """Raises SitegenError unless each weight of the architecture is there in its shape, and no other."""
    width, classes = (tensor.shape[0] if tensor and tensor.shape else 1 for tensor in map(weights.get, _ENDS))
    expected = dict(_expected(ARCHITECTURES[architecture], width, classes))
    for name, shape in expected.items():
        if name not in weights:
            raise SitegenError(f"{file} has no {name}, which a {architecture} has", hint=_OTHERWISE)
        if weights[name].shape != shape:
            found = f"{file} has {name} as {list(weights[name].shape)}"
            raise SitegenError(f"{found}, where a {architecture} has {list(shape)}", hint=_OTHERWISE)
    surplus = next((name for name in weights if name not in expected), None)
    if surplus is not None:
        raise SitegenError(f"{file} has {surplus}, which a {architecture} has not", hint=_OTHERWISE)


_ENDS = ("conv1.weight", "fc.weight")


def _expected(blocks: tuple[int, ...], width: int, classes: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of all weights, as PyTorch has them: convolutions [out, in, height, width]."""

    def norm(name: str, channels: int) -> Iterator[tuple[str, tuple[int, ...]]]:
        yield from ((f"{name}.{part}", (channels,)) for part in _NORM)

    yield "conv1.weight", (width, 3, 7, 7)
    yield from norm("bn1", width)
    before = width
    for stage, count in enumerate(blocks, start=1):
        channels = width << (stage - 1)
        for index in range(count):
            block = f"layer{stage}.{index}"
            yield f"{block}.conv1.weight", (channels, before, 3, 3)
            yield from norm(f"{block}.bn1", channels)
            yield f"{block}.conv2.weight", (channels, channels, 3, 3)
            yield from norm(f"{block}.bn2", channels)
            if stage > 1 and index == 0:
                yield f"{block}.downsample.0.weight", (channels, before, 1, 1)
                yield from norm(f"{block}.downsample.1", channels)
            before = channels
    yield "fc.weight", (classes, before)
    yield "fc.bias", (classes,)


class _Network:
    """A graph while it is written; tensors are NHWC."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights

    def graph(self, blocks: tuple[int, ...]) -> Any:
        """A GraphDef from `input` to `logits`."""
        import tensorflow as tf

        made = tf.Graph()
        with made.as_default():
            x = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3], name="input")
            x = tf.nn.relu(self._convolution(x, "conv1", "bn1", 2))
            # PyTorch pads with -inf. Behind a rectifier, 0 is never more than what is there.
            x = tf.nn.max_pool2d(_padded(x, 1), 3, 2, "VALID")
            for stage, count in enumerate(blocks, start=1):
                for index in range(count):
                    x = self._block(x, f"layer{stage}.{index}", 2 if stage > 1 and index == 0 else 1)
            x = tf.reduce_mean(x, [1, 2])
            product = tf.matmul(x, self._constant("fc.weight", (1, 0)))
            tf.nn.bias_add(product, self._constant("fc.bias"), name="logits")
        return made.as_graph_def()

    def _block(self, x: Any, name: str, stride: int) -> Any:
        import tensorflow as tf

        y = tf.nn.relu(self._convolution(x, f"{name}.conv1", f"{name}.bn1", stride))
        y = self._convolution(y, f"{name}.conv2", f"{name}.bn2", 1)
        if f"{name}.downsample.0.weight" in self._weights:
            x = self._convolution(x, f"{name}.downsample.0", f"{name}.downsample.1", stride)
        return tf.nn.relu(y + x)

    def _convolution(self, x: Any, name: str, norm: str, stride: int) -> Any:
        """A convolution without bias, padded by half its size on each side, and its batch norm."""
        import tensorflow as tf

        weights = self._constant(f"{name}.weight", (2, 3, 1, 0))
        # In steps of two, TensorFlow's own padding is not the same on both sides.
        alike = stride == 1
        x = tf.nn.conv2d(
            x if alike else _padded(x, weights.shape[0] // 2), weights, stride, "SAME" if alike else "VALID"
        )
        scale, offset, mean, variance = (self._constant(f"{norm}.{part}") for part in _NORM)
        # tf.nn's raises a small epsilon.
        return tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=scale,
            offset=offset,
            mean=mean,
            variance=variance,
            epsilon=_EPSILON,
            is_training=False,
            name=_name(name),
        ).y

    def _constant(self, name: str, axes: tuple[int, ...] | None = None) -> Any:
        import tensorflow as tf

        values = self._weights[name].read()
        return tf.constant(values if axes is None else values.transpose(axes), name=_name(name))


def _name(name: str) -> str:
    """PyTorch's name of a part as one of TensorFlow's."""
    return name.replace(".", "/")


def _padded(x: Any, by: int) -> Any:
    import tensorflow as tf

    return tf.pad(x, [[0, 0], [by, by], [by, by], [0, 0]]) if by else x
