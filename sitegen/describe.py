"""What `sitegen inspect` found, as lines of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sitegen import text

_MOST = 3  # nodes that are named where many cannot run


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Facts, operations, weights, what cannot run, and the front matter of a page for it."""
    for name, value in _facts(found):
        yield f"{name:12}{value}"
    yield from ("", f"{'operation':32}{'nodes':>7}  runs on")
    for op, about in found["ops"].items():
        yield f"{op:32}{about['count']:7}  {', '.join(about['backends']) or 'nothing: pages cannot run it'}"
    yield from ("", f"{'weights as':12}{'in memory':>12}{'to fetch':>12}")
    for scheme, sizes in found["bytes"].items():
        yield f"{scheme:12}{text.size(sizes['weights']):>12}{text.size(sizes['travel']):>12}"
    for one in found["lacking"][:_MOST]:
        instead = f"; end the graph before it: --outputs {','.join(one['instead'])}" if one["instead"] else ""
        yield from ("", f'pages cannot run "{one["node"]}", a {one["op"]}{instead}')
    yield ""
    yield from ("A page for it could begin so (sitegen new page writes it):", "", found["front_matter"].rstrip())


def _facts(found: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "format", found["title"]
    if found["signatures"]:
        yield "signatures", ", ".join(found["signatures"])
    for side in ("inputs", "outputs"):
        for end in found[side]:
            yield side.removesuffix("s"), f"{end['name']}  {end['dtype']} {text.shape(end['shape'])}"
    yield "parameters", text.number(found["parameters"])
    flops = found["flops"]
    yield "FLOPs", "depend on the size of the input" if flops is None else text.number(flops)
    planned = found["plan"]
    if planned:
        steps, memory = text.plural(planned["steps"], "step"), text.size(planned["peak"])
        yield "plan", f"{steps}, {text.size(planned['travel'])} to fetch, {memory} of memory for tensors"
    else:
        yield "plan", f"none, so pages bring TF.js's executor: {found['no_plan']}"
    if found["detection"]:
        yield "boxes", "are decoded and suppressed by the page, not by the graph"
    for note in found["notes"]:
        yield "note", note
