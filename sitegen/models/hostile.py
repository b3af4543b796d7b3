"""What no model file may do: name code to be run, or hold operations that touch the file system."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sitegen.errors import SitegenError

# TensorFlow operations that read or write files, call Python or reach the network while a graph is loaded or optimized.
# SaveV2, RestoreV2 and their helpers are part of every SavedModel, and are not run when one is converted.
FORBIDDEN_OPS = frozenset(
    """
    PyFunc PyFuncStateless EagerPyFunc WriteFile ReadFile MatchingFiles ImmutableConst Save SaveSlices
    WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 TFRecordReader TFRecordReaderV2
    FixedLengthRecordReader FixedLengthRecordReaderV2 IdentityReader IdentityReaderV2 LMDBReader
    TextLineDataset TFRecordDataset TFRecordDatasetV2 FixedLengthRecordDataset FixedLengthRecordDatasetV2
    SqlDataset LMDBDataset CSVDataset CSVDatasetV2 DatasetToTFRecord SaveDataset SaveDatasetV2 LoadDataset
    SnapshotDataset SnapshotDatasetV2 CreateSummaryFileWriter CreateSummaryDbWriter WriteSummary WriteGraphSummary
    DebugIdentity DebugIdentityV2 PrintV2 RpcCall TryRpc CompressElement DataServiceDataset DataServiceDatasetV2
    """.split()  # noqa: SIM905
)
# Where Keras's own classes live; a file that names another module would have it imported.
_KERAS_MODULES = ("keras", "tf_keras", "tensorflow.keras", "tensorflow.python.keras", "builtins")


def check_ops(graph_def: Any) -> None:
    """Raises SitegenError when a GraphDef, or a function in it, has an operation of FORBIDDEN_OPS."""
    nodes = [*graph_def.node, *(node for function in graph_def.library.function for node in function.node_def)]
    found = next((node for node in nodes if node.op in FORBIDDEN_OPS), None)
    if found is not None:
        raise SitegenError(
            f'the graph\'s node "{found.name}" is a {found.op}, which reaches outside the model and is never run',
            hint="save the model without it, or cut it off: model.outputs",
        )


def check_keras_config(name: str, config: str | bytes) -> None:
    """Raises SitegenError when a Keras configuration (JSON) holds code, or names classes that are not Keras's."""
    try:
        parsed = json.loads(config)
    except ValueError as error:
        raise SitegenError(f"{name} is damaged: its configuration is not JSON") from error
    for node in _objects(parsed):
        if node.get("class_name") in ("Lambda", "__lambda__", "function") and "config" in node:
            raise SitegenError(
                f"{name} holds Python code (a Lambda layer), which is never run",
                hint="write the layer with Keras's own (keras.layers, keras.ops) and save the model again",
            )
        inner = node.get("config")
        if isinstance(inner, dict) and isinstance(inner.get("vocabulary"), str):
            raise SitegenError(
                f"{name} would have {inner['vocabulary']} read, as the vocabulary of a {node.get('class_name')}",
                hint="save the model again after its vocabulary was set as a list, or adapted",
            )
        module = node.get("module")
        if isinstance(module, str) and module.split(".")[0] not in {m.split(".")[0] for m in _KERAS_MODULES}:
            raise SitegenError(
                f"{name} needs the class {module}.{node.get('class_name')}, which is not Keras's",
                hint="layers of your own must be replaced by Keras's before saving: a page runs no Python",
            )


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    """Every JSON object inside a value, however deep."""
    pending = [value]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            yield node
            pending += node.values()
        elif isinstance(node, list):
            pending += node
