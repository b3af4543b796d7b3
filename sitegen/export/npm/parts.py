"""The parts of a package: what is large, as scripts that run alike by `import`, `require` and a script element.

A part puts what it carries into the global `sitegenParts`, by its id: a payload in base64, or the engine's script as a
function. runtime/src/package/parts.ts is the other half.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Mapping
from typing import Any

from sitegen import chunks
from sitegen.records import Bundle

# What tells a worker from a page and from Node, for TF.js and Emscripten: the engine is given these, or none
# (engine.ts). Bundlers, too, put something of theirs in the place of some, which a worker then lacks.
_ARGUMENTS = (
    "self,WorkerGlobalScope,importScripts,process,global,window,document,"
    "require,module,exports,define,__filename,__dirname"
)


class Parts:
    """The parts of one package, while they are put together."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        # The bytes of what is loaded before the first result, in browsers with SIMD.
        self.first_bytes = 0

    @property
    def ids(self) -> list[str]:
        """The id of each part, in the order in which they were made."""
        return [path.removeprefix("parts/").removesuffix(".js") for path in self.files]

    def demo(self, bundle: Bundle) -> dict[str, Any]:
        """contract.ts: DemoConfig, whose files are these parts. What packages have no use for is left out."""
        config = bundle.config

        def file(ref: Mapping[str, Any], first: bool = False) -> dict[str, Any]:
            return self._file(_content(ref, bundle), ref["encoding"] != "identity", first)

        engine, model = config["engine"], config["model"]
        detection = model["detection"]
        return {
            **config,
            "engine": {
                "name": engine["name"],
                "script": self._engine(_content(engine["script"], bundle)),
                "wasm": {"simd": file(engine["wasm"]["simd"], True), "plain": file(engine["wasm"]["plain"])},
                "variants": [],
            },
            "backend": "wasm",
            "model": {
                **model,
                "graph": file(model["graph"], True),
                "weights": file(model["weights"], True),
                "detection": {**detection, "anchors": file(detection["anchors"], True)} if detection else None,
                "proof": file(model["proof"]) if model["proof"] else None,
            },
            "files": {name: file(ref, True) for name, ref in config["files"].items()},
            "samples": [],
        }

    def _engine(self, script: bytes) -> dict[str, Any]:
        name = self._part(script, f"function({_ARGUMENTS}){{{script.decode()}}}", True)
        return {"bytes": len(script), "encoding": "identity", "chunks": [[name, len(script)]]}

    def _file(self, data: bytes, deflated: bool, first: bool) -> dict[str, Any]:
        payload = zlib.compress(data, 9) if deflated else data
        size = chunks.CHUNK_BYTES
        pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
        told = [[self._part(piece, f'"{base64.b64encode(piece).decode()}"', first), len(piece)] for piece in pieces]
        return {"bytes": len(data), "encoding": "deflate" if deflated else "identity", "chunks": told}

    def _part(self, content: bytes, carried: str, first: bool) -> str:
        name = hashlib.sha256(content).hexdigest()[:20]
        script = f'(globalThis.sitegenParts??={{}})["{name}"]={carried};\n'
        self.files[f"parts/{name}.js"] = script
        self.first_bytes += len(script) if first else 0
        return name


def _content(ref: Mapping[str, Any], bundle: Bundle) -> bytes:
    """A file of the demo, put together."""
    payload = b"".join(chunks.carried(bundle.chunks[name].read()) for name, _ in ref["chunks"])
    return payload if ref["encoding"] == "identity" else zlib.decompress(payload, -15)
