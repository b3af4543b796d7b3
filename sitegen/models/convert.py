"""A TensorFlow graph or SavedModel -> GraphModel, by way of tensorflowjs (freeze, grappler, fuse).

What every format ends in. Runs in the worker process: everything here imports TensorFlow when it is called.
"""

from __future__ import annotations

import gc
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sitegen.errors import SitegenError, did_you_mean
from sitegen.graph import aside, batch, bias, depth, expand, functions, lacking, norms, reshape, ssd
from sitegen.graph.nodes import Nodes, part, source
from sitegen.models import hostile
from sitegen.records import Detection, GraphModel, Signature, TensorSpec

# TF.js holds every integer as int32 and every float as float32.
_DTYPES = {
    "DT_FLOAT": "float32",
    "DT_HALF": "float32",
    "DT_BFLOAT16": "float32",
    "DT_DOUBLE": "float32",
    "DT_INT32": "int32",
    "DT_INT64": "int32",
    "DT_INT16": "int32",
    "DT_UINT16": "int32",
    "DT_INT8": "int32",
    "DT_UINT8": "int32",
    "DT_BOOL": "bool",
}
DEFAULT_SIGNATURE = "serving_default"
_NO_TEXT = "save the model without what makes numbers of text (Keras: TextVectorization), from those numbers on"


def saved_model(path: Path, signature: str | None, outputs: Sequence[str] = (), *, one: bool = False) -> GraphModel:
    """Converts one signature of a SavedModel, of TensorFlow 1 or 2, or the part of it that ends in `outputs`.

    With `one` it takes one thing at a time, if that can be (graph/batch.py).
    Raises SitegenError for what a page cannot run.
    """
    chosen, tags = _signature(path, signature)
    frozen, ends = _read(path, chosen, tags)
    # What was loaded holds itself in circles, with all of its variables.
    gc.collect()
    return graph(frozen, outputs or ends, one=one)


def _read(path: Path, signature: str, tags: list[str]) -> tuple[Any, list[str]]:
    """A signature's GraphDef, whose variables are constants, and the names of the tensors that it ends in."""
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

    # The model owns the variables: it has to live until they are frozen.
    model = converter._load_model(str(path), tags)
    function = model.signatures[signature]
    # TensorFlow flattens outputs by sorted key, where output_10 comes before output_2.
    named = zip(sorted(function.structured_outputs), function.outputs, strict=True)
    ends = [tensor.name for _, tensor in sorted(named, key=lambda pair: _natural(pair[0]))]
    try:
        return _frozen(function), ends
    except Exception:
        # A graph of TensorFlow 1, whose variables are of the old kind.
        nodes = [end.partition(":")[0] for end in ends]
        return converter._freeze_saved_model_v1(str(path), tags, nodes)[0].as_graph_def(), ends


def _frozen(function: Any) -> Any:
    """The GraphDef of a concrete function, its variables constants.

    TensorFlow's convert_variables_to_constants_v2 without its last step, which makes a function of it, by way
    of several copies of all weights.
    """
    from tensorflow.python.framework import convert_to_constants as constants

    data = constants._FunctionConverterDataInEager(func=function, lower_control_flow=False, aggressive_inlining=True)
    return constants._replace_variables_by_constants(converter_data=data)[0]


def _signature(path: Path, wanted: str | None) -> tuple[str, list[str]]:
    """The name of the signature to convert, and the tags of the graph that has it."""
    from tensorflow.python.saved_model import loader_impl

    graphs = loader_impl.parse_saved_model(str(path)).meta_graphs
    serving = [g for g in graphs if "serve" in g.meta_info_def.tags] or list(graphs)
    for graph in serving:
        known = [name for name in graph.signature_def if not name.startswith("__saved_model")]
        chosen = wanted or (DEFAULT_SIGNATURE if DEFAULT_SIGNATURE in known else None)
        if chosen is None and len(known) == 1:
            chosen = known[0]
        if chosen in known:
            return str(chosen), list(graph.meta_info_def.tags)
        if wanted is not None:
            raise SitegenError(f'the model has no signature "{wanted}"', hint=did_you_mean(wanted, known))
        if known:
            what = f"the model has the signatures {', '.join(sorted(known))}"
            raise SitegenError(what, hint="say which: model: {source: ..., signature: ...}")
    raise SitegenError(
        "the SavedModel has no signature, so nobody can tell its inputs and outputs",
        hint="save it with one: tf.saved_model.save(model, folder, signatures=...)",
    )


def graph(graph_def: Any, outputs: Sequence[str], *, one: bool = False) -> GraphModel:
    """Converts a frozen GraphDef, whose every variable is a constant; `outputs` are names of nodes or tensors.

    With `one` it takes one thing at a time, if that can be (graph/batch.py).
    """
    import tensorflow as tf
    from google.protobuf.json_format import MessageToDict
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

    nodes = Nodes(graph_def.node)
    if len(nodes.by_name) < len(graph_def.node):
        raise SitegenError("the graph is damaged: two of its nodes have the same name")
    for name in outputs:
        if source(name) not in nodes.by_name:
            raise SitegenError(f'the graph has no node "{name}"', hint=did_you_mean(name, nodes.by_name))
    graph_def = part(graph_def, nodes, outputs)
    hostile.check_ops(graph_def)
    _check_known(graph_def)
    given = {node.name for node in graph_def.node}
    headed = ssd.cut(graph_def, outputs)
    if headed is not None:
        ended, detection = headed
        heads = graph(ended, (detection.boxes, detection.scores), one=one)
        return replace(heads, signature=results(heads.signature, detection, outputs), detection=detection)
    expand.expand(graph_def)
    reshape.settle(graph_def)
    if one:
        batch.one(graph_def, outputs)
    norms.fold(graph_def)
    depth.flatten(graph_def, outputs)
    light, waiting = aside.light(graph_def)
    frozen = tf.Graph()
    with frozen.as_default():
        tf.import_graph_def(light, name="")
    ends = [frozen.get_tensor_by_name(name if ":" in name else f"{name}:0") for name in outputs]
    begins = [op.outputs[0] for op in frozen.get_operations() if op.type == "Placeholder" and op.name not in waiting]
    begins = [tensor for tensor in begins if tensor.dtype != tf.resource]
    signature = converter._build_signature_def(frozen, begins, ends)
    optimized = converter.optimize_graph(frozen, signature, strip_debug_ops=True, skip_op_check=True)
    weights = {entry["name"]: entry["data"] for group in converter.extract_weights(optimized) for entry in group}
    weights |= aside.back(optimized, graph_def, waiting)
    in_order = [node.name for node in optimized.node if node.name in weights]
    weights = {name: weights[name] for name in (*in_order, *weights)}
    kept = {node.name for node in optimized.node}
    both = MessageToDict(signature)
    inputs = {n: end for n, end in both.get("inputs", {}).items() if end["name"].partition(":")[0] in kept}
    ends_of = Signature(_specs(inputs), _specs(both["outputs"], outputs))
    made = functions.numbered(bias.plain(GraphModel(MessageToDict(optimized), weights, ends_of)))
    return replace(made, lacking=lacking.find(made, given))


def _check_known(graph_def: Any) -> None:
    """Raises SitegenError for an operation that TensorFlow itself has not, and for a function that is not there."""
    from tensorflow.python.framework import op_def_registry

    own = {function.signature.name for function in graph_def.library.function}
    for node in graph_def.node:
        called = [value for each in node.attr.values() for value in (each.func, *each.list.func) if value.name]
        gone = next((function.name for function in called if function.name not in own), None)
        if gone is not None:
            raise SitegenError(f'the graph is damaged: its node "{node.name}" calls {gone}, which is not in it')
        if node.op not in own and op_def_registry.get(node.op) is None:
            what = f'the node "{node.name}" is a {node.op}, which is no operation of TensorFlow\'s'
            before = ", ".join(map(source, node.input))
            hint = f"end the graph before it: model: {{outputs: [{before}]}}" if before else None
            raise SitegenError(what, hint=hint)


def results(heads: Signature, detection: Detection, outputs: Sequence[str]) -> Signature:
    """The signature of a detector whose boxes are made in the page."""
    rows = {"detection_boxes": (detection.total, 4), "num_detections": ()}
    batch = heads.outputs[0].shape[0]
    return replace(
        heads,
        outputs=tuple(
            TensorSpec(name, "float32", (batch, *rows.get(name.partition(":")[0], (detection.total,))))
            for name in outputs
        ),
    )


def read_graph_model(path: Path) -> GraphModel:
    """Reads a TF.js graph model (model.json and the weight files that it names); quantized weights become floats."""
    from tensorflowjs import read_weights

    model = json.loads(path.read_bytes())
    entries = read_weights.read_weights(model["weightsManifest"], str(path.parent), flatten=True)
    weights = {entry["name"]: entry["data"] for entry in entries}
    metadata = model.get("userDefinedMetadata") or {}
    signature = model.get("signature") or metadata.get("signature") or {}
    topology = model["modelTopology"]
    found = _ends(topology)
    # Converters leave out what they were not told.
    inputs, outputs = (_specs(signature.get(side) or {}) for side in ("inputs", "outputs"))
    ends = Signature(inputs or found.inputs, outputs or found.outputs)
    made = functions.numbered(GraphModel(topology, weights, ends))
    return replace(made, lacking=lacking.find(made))


def _ends(topology: Mapping[str, Any]) -> Signature:
    """Inputs and outputs of a graph that does not say them: placeholders, and nodes that nothing reads."""
    nodes = topology["node"]
    read = {name.lstrip("^").partition(":")[0] for node in nodes for name in node.get("input", [])}
    inputs, outputs = [], []
    for node in nodes:
        attributes = node.get("attr", {})
        if node["op"] == "Placeholder":
            shape = attributes.get("shape", {}).get("shape", {})
            end = {"name": node["name"], "dtype": attributes["dtype"]["type"], "tensorShape": shape}
            inputs.append(_spec(node["name"], end))
        elif node["name"] not in read and node["op"] not in ("Const", "NoOp", "Assert"):
            kind = attributes.get("T", {}).get("type", "DT_FLOAT")
            outputs.append(TensorSpec(node["name"], _DTYPES.get(kind, "float32"), ()))
    return Signature(tuple(inputs), tuple(outputs))


def _specs(ends: Mapping[str, Any], order: Sequence[str] = ()) -> tuple[TensorSpec, ...]:
    """In the order that was asked for, else by name, where output_2 comes before output_10."""
    if order:
        by_node = {end["name"].partition(":")[0]: end for end in ends.values()}
        return tuple(_spec(name, by_node[name.partition(":")[0]]) for name in order)
    return tuple(_spec(name, end) for name, end in sorted(ends.items(), key=lambda item: _natural(item[0])))


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def _spec(name: str, end: Mapping[str, Any]) -> TensorSpec:
    # Of a frozen graph tensorflowjs says the names of its outputs, and nothing else.
    dtype = _DTYPES.get(end.get("dtype", "DT_FLOAT"))
    if dtype is None:
        kind = end["dtype"].removeprefix("DT_").lower()
        what = f'the model\'s tensor "{end["name"].partition(":")[0]}" is a {kind}, which pages do not have'
        raise SitegenError(what, hint=_NO_TEXT if kind == "string" else None)
    shape = tuple(int(d.get("size", 0)) for d in end.get("tensorShape", {}).get("dim", []))
    return TensorSpec(end["name"], dtype, shape)
