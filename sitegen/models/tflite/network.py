"""The graph as it is written: tensors of the file become tensors of TensorFlow's, under their own names.

All that is quantized is written as the real numbers that it stands for; nothing is rounded on the way.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sitegen.errors import SitegenError
from sitegen.models.tflite import numbers
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.schema import File, Operation, Tensor

# Of one tensor, and of all constants next to the size of the file: these may share their bytes, but not without end.
_MOST_NUMBERS = 1 << 28
_MOST_SHARED = 8
_LEAST = 1 << 20
# ActivationFunctionType of the schema.
_NONE, _RELU, _RELU_N1_TO_1, _RELU6, _TANH, _SIGN = range(6)
_LONGEST = 200
# What weights are quantized to; wider integers gain nothing by it.
_ON_GRIDS = ("INT8", "UINT8", "INT4")


def clean(name: str) -> str:
    """A tensor's name as TensorFlow takes it: the first of those that were fused."""
    head = name.partition(";")[0].removesuffix(":0")
    return re.sub(r"/+", "/", re.sub(r"[^\w./-]", "_", head, flags=re.A)).strip("/_.-")[:_LONGEST] or "tensor"


class Network:
    """A tf.Graph while it is written."""

    def __init__(self, file: File) -> None:
        import tensorflow as tf

        self.graph = tf.Graph()
        self.steps: dict[str, NDArray[np.float32]] = {}  # records.py: GraphModel.steps, by name of the constant
        self._file = file
        self._tensors: dict[int, Any] = {}
        self._constants: dict[int, NDArray[Any]] = {}  # of what operations give
        self._turned: dict[tuple[Any, ...], Any] = {}
        self._left = _MOST_SHARED * file.size + _LEAST
        self._names: dict[str, str] = {}  # of nodes
        self._taken: set[str] = set()

    def tensor(self, index: int) -> Tensor:
        """What the file says of a tensor."""
        return self._file.tensors[index]

    def place(self, index: int, name: str) -> None:
        """Makes an input of a tensor. One of uint8 takes 0 to 255, and any other with a scale what it stands for."""
        import tensorflow as tf

        tensor = self.tensor(index)
        if tensor.data is not None or index in self._tensors:
            raise Damaged(f"{tensor.name} is an input, and something else besides")
        shape = [None if size == -1 else size for size in tensor.shape]
        self._check_size(tensor.name, shape)
        given = tf.compat.v1.placeholder(numbers.dtype(tensor), shape)
        self._names[given.op.name] = self.reserve(name)
        if tensor.kind == "UINT8" and tensor.scales is not None:
            # Scaled first: TensorFlow's optimizer would move a product that comes last into the weights behind it.
            given = given * float(tensor.scales[0]) - float(tensor.zeros[0] * tensor.scales[0])
        self._tensors[index] = given

    def check(self, index: int) -> None:
        """Raises Damaged for a tensor that was not given before and is no constant."""
        if index not in self._tensors and self.tensor(index).data is None:
            raise Damaged(f"{self.tensor(index).name} is read before anything is written to it")

    def read(self, index: int) -> Any:
        """A tensor that was given before, or a constant. Raises Damaged where it is neither."""
        self.check(index)
        value = None if index in self._tensors else self.constant(index)
        if value is not None:
            self._tensors[index] = self._keep(index, value, value.ndim - 1)
        return self._tensors[index]

    def constant(self, index: int) -> NDArray[Any] | None:
        """The value of a tensor; None if it is none that is known."""
        tensor = self.tensor(index)
        if index not in self._constants and tensor.data is not None and index not in self._tensors:
            self._left -= math.prod(max(size, 0) for size in tensor.shape)
            if self._left < 0:
                raise Damaged("its tensors share their numbers more often than a model's do")
            self._constants[index] = numbers.value(tensor)
        return self._constants.get(index)

    def _keep(self, index: int, value: NDArray[Any], last: int) -> Any:
        """A constant under the name of a tensor; `last` is which of the tensor's axes comes last in it."""
        import tensorflow as tf

        tensor = self.tensor(index)
        made = tf.constant(value)
        self._names[made.op.name] = self.reserve(clean(tensor.name))
        if tensor.kind in _ON_GRIDS and tensor.scales is not None and (len(tensor.scales) == 1 or tensor.axis == last):
            self.steps[self._names[made.op.name]] = tensor.scales
        return made

    def weights(self, index: int, axes: Sequence[int], shape: Sequence[int] | None = None) -> Any:
        """A tensor transposed, and then reshaped: where it is a constant, here and not in the page."""
        import tensorflow as tf

        value = self.constant(index)
        if value is None:
            moved = tf.transpose(self.read(index), axes)
            return moved if shape is None else tf.reshape(moved, shape)
        # What several operations share is written once.
        key = (index, tuple(axes), None if shape is None else tuple(shape))
        if key not in self._turned:
            moved = value.transpose(axes)
            self._turned[key] = self._keep(index, moved if shape is None else moved.reshape(shape), axes[-1])
        return self._turned[key]

    def write(self, operation: Operation, given: Sequence[Any], known: NDArray[Any] | None = None) -> None:
        """What an operation gives; `known` is its value, where that is a constant's."""
        for index, made in zip(operation.outputs, given, strict=False):
            tensor = self.tensor(index)
            if index in self._tensors or tensor.data is not None:
                raise Damaged(f"{tensor.name} is given, and written besides")
            self._check_size(tensor.name, made.shape.as_list() if made.shape.rank is not None else [])
            self._tensors[index] = made
            if made.op.name not in self._names:
                self._names[made.op.name] = self.reserve(clean(tensor.name))
            if known is not None:
                self._constants[index] = known

    def end(self, index: int, name: str) -> None:
        """Makes a result of a tensor, under a name that was reserved."""
        import tensorflow as tf

        self._names[tf.identity(self.read(index)).op.name] = name

    def reserve(self, name: str) -> str:
        """A name that no node has yet, like this one."""
        found, count = name, 0
        while found in self._taken:
            count += 1
            found = f"{name}_{count}"
        self._taken.add(found)
        return found

    def graph_def(self) -> Any:
        """The graph, its nodes called as the tensors are."""
        made = self.graph.as_graph_def()
        for node in made.node:
            node.name = self._name(node.name)
            node.input[:] = [self._reference(reference) for reference in node.input]
        return made

    def activated(self, made: Any, index: int, kind: int) -> Any:
        """What follows an operation within it.

        Converters leave out a ReLU where the quantized result can hold nothing negative, and a ReLU6 where it ends at
        6. Other ends of what it can hold are those of the data that it was calibrated with, and no part of the model.
        """
        import tensorflow as tf

        tensor = self.tensor(index)
        bounds = numbers.bounds(tensor) if tensor.scales is not None else None
        if kind == _NONE and bounds is not None and bounds[0] == 0:
            kind = _RELU6 if abs(bounds[1] - 6) < bounds[1] / 255 else _RELU
        if kind == _RELU_N1_TO_1:
            return tf.clip_by_value(made, -1.0, 1.0)
        steps = {_NONE: tf.identity, _RELU: tf.nn.relu, _RELU6: tf.nn.relu6, _TANH: tf.tanh, _SIGN: tf.sign}
        if kind not in steps:
            raise Damaged(f"there is no activation {kind}")
        return steps[kind](made) if kind != _NONE else made

    def _name(self, name: str) -> str:
        # A node that is none of the file's tensors may be called as one of them.
        return self._names.get(name) or self._names.setdefault(name, self.reserve(name))

    def _reference(self, reference: str) -> str:
        head = "^" if reference.startswith("^") else ""
        name, colon, rest = reference.removeprefix("^").partition(":")
        return f"{head}{self._name(name)}{colon}{rest}"

    def _check_size(self, name: str, shape: Sequence[int | None]) -> None:
        if math.prod(size or 1 for size in shape) > _MOST_NUMBERS:
            raise SitegenError(f'the model\'s tensor "{name}" is {"x".join(map(str, shape))}, which is too large')


class Call:
    """An operation as its builder sees it."""

    def __init__(self, network: Network, operation: Operation) -> None:
        self.network = network
        self.operation = operation

    def __getitem__(self, option: str) -> Any:
        return self.operation.options[option]

    @property
    def options(self) -> Mapping[str, Any]:
        """All its options."""
        return self.operation.options

    @property
    def given(self) -> list[Any]:
        """All its inputs."""
        return [self.network.read(index) for index in self.operation.inputs]

    def has(self, at: int) -> bool:
        """Whether an input is there."""
        return at < len(self.operation.inputs) and self.operation.inputs[at] >= 0

    def index(self, at: int) -> int:
        """The number of an input's tensor. Raises Damaged where it is left out."""
        if not self.has(at):
            raise Damaged(f"a {self.operation.name} lacks an input")
        return self.operation.inputs[at]

    def input(self, at: int) -> Any:
        """An input."""
        return self.network.read(self.index(at))

    def constant(self, at: int) -> NDArray[Any]:
        """An input that has to be known. Raises SitegenError where the model computes it."""
        value = self.network.constant(self.index(at))
        if value is None:
            what = f'"{self.named}", a {self.operation.name}, has an input that the model computes'
            raise SitegenError(f"{what}, which pages cannot run", hint="leave that part out of the model")
        return value

    def maybe(self, at: int) -> Any:
        """An input: its value where that is known, else the tensor."""
        value = self.network.constant(self.index(at))
        return self.input(at) if value is None else value

    def weights(self, at: int, axes: Sequence[int], shape: Sequence[int] | None = None) -> Any:
        """An input transposed, and then reshaped."""
        return self.network.weights(self.index(at), axes, shape)

    def tensor(self, at: int) -> Tensor:
        """What the file says of an input."""
        return self.network.tensor(self.index(at))

    @property
    def result(self) -> Tensor:
        """What the file says of its first output."""
        return self.network.tensor(self.operation.outputs[0])

    @property
    def named(self) -> str:
        """What it is called."""
        return clean(self.result.name)

    def activated(self, made: Any) -> Any:
        """The result after the operation's own activation."""
        return self.network.activated(made, self.operation.outputs[0], self["activation"])
