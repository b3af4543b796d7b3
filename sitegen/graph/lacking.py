"""Operations that TF.js knows but its WebAssembly backend (4.22) has no kernel for: they would fail in the page."""

from __future__ import annotations

from sitegen.errors import SitegenError
from sitegen.records import GraphModel

# tfjs-core's kernel_names less those that tfjs-backend-wasm registers, as far as graphs can hold them. Einsum is among
# them for those that graph/einsum.py leaves.
LACKING = frozenset(
    {
        "Complex",
        "ComplexAbs",
        "Einsum",
        "FFT",
        "IFFT",
        "IRFFT",
        "Imag",
        "LowerBound",
        "MatrixBandPart",
        "RFFT",
        "RaggedGather",
        "RaggedRange",
        "RaggedTensorToTensor",
        "Real",
        "StaticRegexReplace",
        "UpperBound",
    }
)


def check(model: GraphModel) -> None:
    """Raises SitegenError for the first node, in the graph or in a function of it, that the backend cannot run."""
    functions = model.topology.get("library", {}).get("function", [])
    for nodes in (model.topology["node"], *(function.get("nodeDef", []) for function in functions)):
        for node in nodes:
            if node["op"] in LACKING:
                raise SitegenError(
                    f'the node "{node["name"]}" is a {node["op"]}, which pages cannot run',
                    hint="end the graph before it: model.outputs",
                )
