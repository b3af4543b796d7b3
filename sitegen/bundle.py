"""A page, its model and the runtime -> Bundle: one demo with every file that it needs.

`config` is the JSON that the page's script reads; its shape is DemoConfig in runtime/src/shared/contract.ts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sitegen import loss, tasks, text
from sitegen.records import (
    Blob,
    Bundle,
    Chunked,
    Completed,
    DemoSpec,
    FileRef,
    Packed,
    Page,
    SourceFile,
    TensorSpec,
)
from sitegen.tasks import TASKS, pictures


@dataclass(frozen=True)
class Engine:
    """An engine's script, which the page runs in a worker, and the two builds of its backend."""

    name: str
    script: Chunked
    simd: Chunked
    plain: Chunked
    variants: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class Variant:
    """Another way to run what the engine runs, which a page loads on demand; some have a binary of their own."""

    backend: str
    script: Chunked
    wasm: Chunked | None


def make(
    page: Page,
    demo: DemoSpec,
    packed: Packed,
    samples: Mapping[str, tuple[str, Chunked]],
    engine: Engine,
    assets: Sequence[str],
    title: str,
    cut: Callable[[Blob], Chunked],
) -> Bundle:
    """Puts a demo together that the task has found nothing wrong with.

    `samples` maps a sample's name to its media type and chunks; `assets` are the paths in the site of the task's script
    and style sheet, `title` is the task's; `cut` cuts a file into chunks.
    """
    completed, errors = tasks.completed(demo, packed.signature)
    assert completed is not None
    assert not errors
    chunks: dict[str, Blob] = {}

    def ref(chunked: Chunked) -> dict[str, Any]:
        chunks.update(chunked.files)
        return ref_json(chunked.ref)

    config = {
        "task": demo.task,
        "title": page.title,
        "engine": {
            "name": engine.name,
            "script": ref(engine.script),
            "wasm": {"simd": ref(engine.simd), "plain": ref(engine.plain)},
            "variants": [
                {"backend": v.backend, "script": ref(v.script), "wasm": ref(v.wasm) if v.wasm else None}
                for v in engine.variants
            ],
        },
        "backend": demo.backend,
        "model": {
            "graph": ref(packed.graph),
            "weights": ref(packed.weights),
            "signature": {
                "inputs": [_tensor_json(t) for t in packed.signature.inputs],
                "outputs": [_tensor_json(t) for t in packed.signature.outputs],
            },
            "detection": {**(packed.detection or {}), "anchors": ref(packed.anchors)} if packed.anchors else None,
            "proof": ref(packed.proof) if packed.proof else None,
            "quantization": packed.scheme,
            "lost": loss.line(packed.loss) if packed.loss else "",
            "weightBytes": packed.weight_bytes,
            "parameters": packed.parameters,
        },
        "input": pictures.as_json(completed.image) if completed.image else None,
        "takes": completed.takes,
        "output": completed.output,
        "files": {name: ref(cut(Blob.of(data))) for name, data in completed.files.items()},
        "labels": list(demo.labels),
        "samples": [
            {"name": _human(file), "type": kind, "file": ref(chunked)}
            for file in demo.samples
            for kind, chunked in [samples[file.name]]
        ],
    }
    return Bundle(
        page=page,
        packed=packed,
        config=config,
        assets=tuple(assets),
        chunks=chunks,
        spare=_spare(engine),
        facts=_facts(demo, packed, completed, title),
    )


def _spare(engine: Engine) -> frozenset[str]:
    """The chunks of an engine that browsers with SIMD do not fetch when a page is opened."""
    variants = [part for v in engine.variants for part in (v.script, v.wasm) if part]
    spare = {name for part in (engine.plain, *variants) for name in part.files}
    return frozenset(spare.difference(engine.script.files, engine.simd.files))


def ref_json(ref: FileRef) -> dict[str, Any]:
    """contract.ts: FileRef."""
    return {
        "bytes": ref.bytes,
        "encoding": ref.encoding,
        "chunks": [list(chunk) for chunk in ref.chunks],
    }


def _tensor_json(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _human(file: SourceFile) -> str:
    stem = file.path.stem
    return stem.replace("_", " ").replace("-", " ").strip() or stem


def _facts(demo: DemoSpec, packed: Packed, completed: Completed, task_title: str) -> tuple[tuple[str, str], ...]:
    facts = [
        ("Task", task_title),
        *TASKS[demo.task].facts(demo, completed, packed.signature),
        ("Parameters", text.number(packed.parameters)),
        *loss.facts(packed),
    ]
    if packed.apart is not None:
        facts.append(("Checked against TensorFlow", f"equal to {packed.apart:.0e}" if packed.apart else "equal"))
    if demo.license:
        facts.append(("Licence", demo.license))
    if demo.origin:
        facts.append(("Origin", demo.origin))
    return tuple(facts)
