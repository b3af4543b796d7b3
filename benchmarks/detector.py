"""A TensorFlow 1 SSD detector in Chromium: TF.js with the graph as it is, and a page's engine with the heads alone.

    python benchmarks/detector.py FROZEN_GRAPH.pb [TURNS]

TF.js 4.22 cannot run the graph as its converter leaves it (tensors of a loop are disposed of too early), so its loops
are turned into TensorFlow 1's first, which it can. On the WebAssembly backend it then finds nothing, as that backend's
cast to bool is wrong; the WebGL backend, TF.js's first choice in a browser, finds what TensorFlow finds, as do the
plain JavaScript backend and the page's engine with the whole graph, in which that cast is mended. Without a graphics
processor WebGL is computed in software.
"""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
from race import Entrant, close, race, ratio

from sitegen.graph.ssd import RESULTS
from sitegen.models import convert, frozen_graph
from sitegen.models.options import Options
from sitegen.records import GraphModel, TensorSpec
from tests.parity import engine


def naive(path: Path) -> GraphModel:
    """What tensorflowjs makes of the graph, its loops written out."""
    import tensorflow as tf
    from tensorflow.core.framework import graph_pb2
    from tensorflow.python.framework import convert_to_constants
    from tensorflowjs.converters import tf_saved_model_conversion_v2 as converter

    graph_def = graph_pb2.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    wrapped = tf.compat.v1.wrap_function(lambda: tf.import_graph_def(graph_def, name=""), [])
    inputs = [f"{node.name}:0" for node in graph_def.node if node.op == "Placeholder"]
    pruned = wrapped.prune(inputs, [f"{name}:0" for name in RESULTS])
    frozen = convert_to_constants.convert_variables_to_constants_v2(pruned, True, True)
    with tempfile.TemporaryDirectory() as folder:
        lowered = Path(folder) / "lowered.pb"
        lowered.write_bytes(frozen.graph.as_graph_def().SerializeToString())
        names = ",".join(tensor.name for tensor in frozen.outputs)
        converter.convert_tf_frozen_model(str(lowered), names, folder, strip_debug_ops=True)
        read = convert.read_graph_model(Path(folder) / "model.json")
    outputs = tuple(TensorSpec(name, "float32", ()) for name in RESULTS)
    return replace(read, signature=replace(read.signature, outputs=outputs))


def main() -> None:
    """Prints latencies and their ratios."""
    path = Path(sys.argv[1])
    turns = int(sys.argv[2]) if len(sys.argv) > 2 else 15
    whole, headed = naive(path), engine.load(path, Options())
    assert frozen_graph.sniff(path)
    nodes = {name: len(model.topology["node"]) for name, model in (("whole", whole), ("heads", headed))}
    print(f"nodes: {nodes['whole']} as it is, {nodes['heads']} with the heads alone")
    picture = np.random.default_rng(0).integers(0, 256, (1, 300, 300, 3)).astype(np.uint8)

    def fed(model: GraphModel) -> dict[str, Any]:
        return {model.signature.inputs[0].name: picture}

    results = race(
        {
            "TF.js, wasm": Entrant(whole, fed(whole), "wasm"),
            "TF.js, webgl": Entrant(whole, fed(whole), "webgl"),
            "TF.js, cpu": Entrant(whole, fed(whole), "cpu"),
            "mended, wasm": Entrant(whole, fed(whole)),
            "page's engine": Entrant(headed, fed(headed)),
        },
        turns,
    )
    ours = results["page's engine"]
    for name, result in results.items():
        found = result.last.outputs[RESULTS.index("num_detections")][0]
        print(f"{name:14} {result.text}; {found:.0f} boxes, largest difference {close(result, ours):.1g}")
        if result is not ours:
            print(f"{'':14} takes {ratio(result, ours)}")


if __name__ == "__main__":
    main()
