"""A file's records -> GraphModel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sitegen.errors import SitegenError, did_you_mean
from sitegen.graph import ssd
from sitegen.graph.nodes import source
from sitegen.models import convert
from sitegen.models.options import Options
from sitegen.models.tflite import detection, numbers, schema
from sitegen.models.tflite.flatbuffer import Damaged
from sitegen.models.tflite.network import Call, Network, clean
from sitegen.models.tflite.ops import BUILDERS
from sitegen.models.tflite.schema import File, Operation
from sitegen.records import GraphModel, TensorSpec

_Ends = Sequence[tuple[str, int]]  # names, and numbers of tensors


def load(data: bytes, options: Options) -> GraphModel:
    """Raises Damaged, or SitegenError for what cannot be read."""
    file = schema.read(data)
    inputs, outputs = _ends(file, options)
    detector = detection.last(file, tuple(index for _, index in outputs))
    if detector is not None:
        return _headed(file, inputs, detector)
    return _made(file, inputs, outputs)


def _headed(file: File, inputs: _Ends, detector: Operation) -> GraphModel:
    """A detector, up to its heads; its results have the names of the Object Detection API's."""
    heads = [(file.tensors[index].name, index) for index in detector.inputs[:2]]
    made = _made(file, inputs, heads)
    found, by_class = detection.of(file, detector, *(spec.name for spec in made.signature.outputs))
    signature = convert.results(made.signature, found, ssd.RESULTS)
    return replace(made, signature=signature, detection=found, notes=() if by_class else (detection.NOTE,))


def _made(file: File, inputs: _Ends, outputs: _Ends) -> GraphModel:
    network, ends = _written(file, inputs, outputs)
    made = convert.graph(network.graph_def(), ends)
    ranges = {clean(name): _range(file, index) for name, index in inputs}
    specs = tuple(replace(spec, range=ranges.get(source(spec.name))) for spec in made.signature.inputs)
    told = [_spec(file, end, index) for end, (_, index) in zip(ends, outputs, strict=True)]
    steps = {name: each for name, each in network.steps.items() if name in made.weights}
    return replace(made, signature=replace(made.signature, inputs=specs, outputs=tuple(told)), steps=steps)


def _ends(file: File, options: Options) -> tuple[_Ends, _Ends]:
    """Inputs and outputs by the file's signature, if it has one, else by the names of tensors."""
    inputs: _Ends = [(file.tensors[index].name, index) for index in file.inputs]
    outputs: _Ends = [(file.tensors[index].name, index) for index in file.outputs]
    signature = _signature(file, options.signature)
    if signature is not None:
        inputs, outputs = signature.inputs, signature.outputs
    if options.outputs:
        outputs = [(name, _tensor(file, name, outputs)) for name in options.outputs]
    if not outputs:
        raise Damaged("it has no outputs")
    return inputs, outputs


def _signature(file: File, wanted: str | None) -> schema.Signature | None:
    known = {signature.key: signature for signature in file.signatures}
    chosen = wanted or (convert.DEFAULT_SIGNATURE if convert.DEFAULT_SIGNATURE in known else None)
    if chosen is None and len(known) > 1:
        what = f"the model has the signatures {', '.join(sorted(known))}"
        raise SitegenError(what, hint="say which: model: {source: ..., signature: ...}")
    if wanted is not None and wanted not in known:
        raise SitegenError(f'the model has no signature "{wanted}"', hint=did_you_mean(wanted, known))
    return known[chosen] if chosen else next(iter(known.values()), None)


def _tensor(file: File, name: str, outputs: _Ends) -> int:
    """The number of a tensor that the page names, as the file does or as the graph is called."""
    own = {clean(told): index for told, index in outputs}
    if name in own:
        return own[name]
    for index, tensor in enumerate(file.tensors):
        if name in (tensor.name, clean(tensor.name)):
            return index
    known = [clean(tensor.name) for tensor in file.tensors]
    raise SitegenError(f'the graph has no node "{name}"', hint=did_you_mean(name, known))


def _written(file: File, inputs: _Ends, outputs: _Ends) -> tuple[Network, list[str]]:
    """The graph, as far as the outputs need it, and the names of these."""
    network = Network(file)
    names = [network.reserve(clean(name)) for name, _ in outputs]
    with network.graph.as_default():
        for name, index in inputs:
            network.place(index, clean(name))
        for operation in _needed(file, [index for _, index in outputs]):
            _write(network, operation)
        for name, (_, index) in zip(names, outputs, strict=True):
            network.end(index, name)
    return network, names


def _needed(file: File, ends: Sequence[int]) -> list[Operation]:
    """The operations that some tensors are computed from, in the file's order."""
    writers: dict[int, int] = {}
    for at, operation in enumerate(file.operations):
        for index in operation.outputs:
            if index in writers:
                raise Damaged(f"{file.tensors[index].name} is written twice")
            writers[index] = at
    pending, found = list(ends), set()
    while pending:
        writer = writers.get(pending.pop())
        if writer is not None and writer not in found:
            found.add(writer)
            pending += file.operations[writer].inputs
    return [file.operations[at] for at in sorted(found)]


def _write(network: Network, operation: Operation) -> None:
    call = Call(network, operation)
    builder = None if operation.custom else BUILDERS.get(operation.name)
    if builder is None:
        kind = f"the custom operation {operation.name}" if operation.custom else f"a {operation.name}"
        before = [clean(network.tensor(i).name) for i in operation.inputs if i >= 0 and network.tensor(i).data is None]
        hint = f"end the graph before it: model: {{outputs: [{', '.join(before)}]}}" if before else None
        raise SitegenError(f'the node "{call.named}" is {kind}, which cannot be read', hint=hint)
    for index in operation.inputs:
        if index >= 0:
            network.check(index)
    try:
        made = builder(call)
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        if isinstance(error, Damaged):
            raise
        # TensorFlow's words for shapes that do not fit one another.
        raise Damaged(f'the node "{call.named}", a {operation.name}, does not fit its inputs') from error
    known = network.constant(operation.inputs[0]) if operation.name == "DEQUANTIZE" else None
    network.write(operation, made if isinstance(made, list) else [made], known)


def _range(file: File, index: int) -> tuple[float, float] | None:
    """The numbers that an input takes, where the file says so."""
    tensor = file.tensors[index]
    return (0, 255) if tensor.kind == "UINT8" else numbers.bounds(tensor)


def _spec(file: File, name: str, index: int) -> TensorSpec:
    tensor: Any = file.tensors[index]
    return TensorSpec(name, numbers.dtype(tensor), tensor.shape)
