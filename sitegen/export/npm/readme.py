"""README.md of a package: how it is used, and what the model is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text as numbers
from sitegen.export.npm.names import variable
from sitegen.records import Bundle

_PICTURE = (
    """import sharp from 'sharp';
const { data, info } = await sharp('picture.jpg').rotate().raw().toBuffer({ resolveWithObject: true });
const input = { data, width: info.width, height: info.height };""",
    "const input = document.querySelector('img');",
)
_USE = "const model = await load();\nconsole.log(await model.predict(input));\nmodel.dispose();"
# Task -> an input in Node, and in a page.
_INPUTS: Mapping[str, tuple[str, str]] = {
    "image-classification": _PICTURE,
    "object-detection": _PICTURE,
    "image-segmentation": _PICTURE,
    "pose-estimation": _PICTURE,
    "audio-classification": (
        "import { readFile } from 'node:fs/promises';\nconst input = await readFile('sound.wav');",
        "const input = document.querySelector('input[type=file]').files[0];",
    ),
    "video-classification": (
        "// Frames of RGB or RGBA, {fps} a second.\n"
        "const input = frames.map((data) => ({{ data, width: 320, height: 240 }}));",
        "const input = bitmaps; // ImageBitmaps of the frames, {fps} a second",
    ),
}


def text(bundle: Bundle, card: Mapping[str, Any], first_bytes: int) -> str:
    """Markdown; `first_bytes` is what is loaded before the first result."""
    config, name = bundle.config, card["name"]
    node, browser = _inputs(config)
    drawn = _drawn(config)
    sections = [
        f"# {card['title']}",
        card["summary"] or f"A model for {card['task']}.",
        "The model, its engine (WebAssembly, no native module) and everything else that it needs are in this package: "
        "it fetches nothing from anywhere, and what it is given stays on the device. For Node from 18 on, bundlers and "
        "browsers.",
        "## Node",
        _code("sh", f"npm install {name}"),
        _code("js", f"import {{ load }} from '{name}';\n{node}\n\n{_USE}"),
        f"CommonJS: `const {{ load }} = require('{name}');`. Node computes in the thread that asks.",
        "## Bundlers",
        "Vite and others need no configuration; engine and model become files of their own, which are loaded when "
        f"`load()` is called ({numbers.size(first_bytes)} before compression). A worker computes, so that the page "
        "stays alive; where a page's policy allows no worker from a blob, the page itself does, as with "
        "`load({ worker: false })`.",
        _code("js", f"import {{ load }} from '{name}';\n{browser}\n\n{_USE}") if browser else "The code is the same.",
        "## A script element",
        _code(
            "html",
            f'<script src="node_modules/{name}/global.js"></script>\n<script type="module">\n'
            f"  {browser or 'const input = ...; // as above'}\n"
            f"  const model = await {variable(name)}.load();\n"
            "  console.log(await model.predict(input));\n</script>",
        ),
        "The folder `parts` belongs beside `global.js`. This also works from a file, without a server.",
        "## What there is",
        "`index.d.ts` says it all: what `predict` takes and gives, with the names of this very model.",
        _list(
            "`predict(input)`: what the demo shows of an input",
            "`predict(input, { drawn: true })`: of a drawing, of which the page cuts out the ink" if drawn else "",
            "`raw(tensors)`: the model's own outputs, for its own inputs",
            "`check()`: whether this device computes the numbers that TensorFlow did when the package was made"
            if config["model"]["proof"]
            else "",
            "`dispose()`: frees the model's memory",
            "`card`, beside `load`: name, labels, task, licence, inputs and outputs",
        ),
        "## The model",
        _table({**card["facts"], "Inputs": _ends(card["inputs"]), "Outputs": _ends(card["outputs"])}),
        "## Licences",
        f"The model: {card['license'] or 'its page names none'}. The software beside it: licenses.txt.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _inputs(config: Mapping[str, Any]) -> tuple[str, str | None]:
    """What makes an input in Node, and in a page; None where that is the same."""
    task, takes = config["task"], config["takes"]
    if "columns" in takes:
        row = {column["name"]: _default(column) for column in takes["columns"]}
        return f"const input = {json.dumps(row, ensure_ascii=False, indent=2)};", None
    if "text" in takes:
        return "const input = 'A text.';", None
    if task == "tensors":
        ends = ", ".join(f"{json.dumps(spec['name'])}: [...]" for spec in config["model"]["signature"]["inputs"])
        return f"const input = {{ {ends} }}; // nested lists of numbers", None
    if task not in _INPUTS:
        return "const input = ...; // index.d.ts", None
    node, browser = _INPUTS[task]
    if "clip" in takes:
        fps = f"{takes['clip']['fps']:g}"
        return node.format(fps=fps), browser.format(fps=fps)
    return node, browser


def _default(column: Mapping[str, Any]) -> Any:
    return column["choices"][column["default"]] if column["kind"] == "choice" else column["default"]


def _drawn(config: Mapping[str, Any]) -> bool:
    image = config["input"]
    return bool(image and "draw" in image["sources"] and image["draw"]["fit"] is not None)


def _code(language: str, lines: str) -> str:
    return f"```{language}\n{lines}\n```"


def _list(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines if line)


def _table(facts: Mapping[str, str]) -> str:
    rows = [f"| {key} | {_cell(value)} |" for key, value in facts.items()]
    return "\n".join(["| | |", "|---|---|", *rows])


def _cell(value: str) -> str:
    return " ".join(value.split()).replace("|", "\\|")


def _ends(specs: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"`{spec['name']}` {spec['dtype']} {numbers.shape(spec['shape'])}" for spec in specs)
