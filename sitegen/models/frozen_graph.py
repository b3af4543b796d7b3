"""TensorFlow 1 frozen graphs (.pb): a GraphDef whose variables are constants."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sitegen.errors import SitegenError
from sitegen.models.options import Options
from sitegen.records import GraphModel

NAME = "frozen-graph"
TITLE = "TensorFlow frozen graph (.pb)"
# Nodes that nobody reads and that are no results all the same.
_NO_RESULTS = {"Const", "NoOp", "Assert", "Placeholder", "Print"}


def sniff(path: Path) -> bool:
    """Whether it begins as a GraphDef does: field 1, a NodeDef, whose own field 1 is a name and then field 2 an op."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        head = stream.read(4096)
    node = _field(head, 0x0A)
    name = _field(node[1], 0x0A) if node else None
    if node is None or name is None:
        return False
    after = node[1][name[0] :]
    return name[1].isascii() and len(after) > 0 and after[0] == 0x12


def _field(data: bytes, tag: int) -> tuple[int, bytes] | None:
    """A length-delimited protobuf field at the head of `data`: where it ends, and what there is of its content."""
    if not data or data[0] != tag:
        return None
    length, shift = 0, 0
    for index, byte in enumerate(data[1:6], start=1):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return index + 1 + length, data[index + 1 : index + 1 + length]
    return None


def files(path: Path) -> list[Path]:
    """The file itself."""
    return [path]


def check(path: Path) -> str | None:
    """Nothing more can be told cheaply: protobuf has no checksum."""
    return None


def load(path: Path, options: Options) -> GraphModel:
    """Raises SitegenError when the file does not parse, or its outputs cannot be told."""
    from google.protobuf.message import DecodeError
    from tensorflow.core.framework import graph_pb2

    from sitegen.models import convert

    graph_def = graph_pb2.GraphDef()
    try:
        graph_def.ParseFromString(path.read_bytes())
    except DecodeError as error:
        raise SitegenError(f"{path.name} is truncated or is no TensorFlow graph") from error
    variables = [node.name for node in graph_def.node if node.op in ("Variable", "VariableV2", "VarHandleOp")]
    if variables:
        raise SitegenError(
            f"{path.name} is not frozen: {variables[0]} is a variable, and its value is in another file",
            hint="use the SavedModel, or freeze the graph with its checkpoint",
        )
    return convert.graph(graph_def, options.outputs or _outputs(graph_def, path.name), one=options.one)


def _outputs(graph_def: Any, name: str) -> tuple[str, ...]:
    """The graph's results: the Object Detection API's, or every node that no other node reads."""
    from sitegen.graph import ssd

    names = {node.name for node in graph_def.node}
    if names.issuperset(ssd.RESULTS):
        return ssd.RESULTS
    read = {i.lstrip("^").partition(":")[0] for node in graph_def.node for i in node.input}
    ends = tuple(n.name for n in graph_def.node if n.name not in read and n.op not in _NO_RESULTS)
    if not ends or len(ends) > 16:
        raise SitegenError(
            f"which of the {len(graph_def.node)} nodes of {name} are its results cannot be told",
            hint="name them: model: {source: ..., outputs: [...]}",
        )
    return ends
