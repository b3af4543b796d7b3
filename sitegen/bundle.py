"""A page, its model and the runtime -> Bundle: one demo with every file that it needs.

`config` is the JSON that the page's script reads; its shape is DemoConfig in runtime/src/shared/contract.ts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sitegen import loss, text
from sitegen.errors import SitegenError
from sitegen.records import (
    Blob,
    Bundle,
    Chunked,
    DemoSpec,
    FileRef,
    ImageInput,
    Packed,
    Page,
    Signature,
    SourceFile,
    TensorSpec,
)

# What browsers decode everywhere, as Pillow calls it -> media type.
IMAGE_TYPES = {
    "PNG": "image/png",
    "JPEG": "image/jpeg",
    "GIF": "image/gif",
    "WEBP": "image/webp",
    "BMP": "image/bmp",
}


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
    task: Mapping[str, str],
) -> Bundle:
    """Puts a demo together that `completed` has found nothing wrong with.

    `samples` maps a sample's name to its media type and chunks; `task` has the path of the task's script in the site
    and its title.
    """
    image, errors = completed(demo, packed.signature)
    assert image is not None
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
            "weightBytes": packed.weight_bytes,
            "parameters": packed.parameters,
        },
        "input": _input_json(image),
        "output": {"activation": demo.activation, "topK": demo.top_k},
        "labels": list(demo.labels),
        "samples": [
            {"name": _human(file), "type": kind, "image": ref(cut)}
            for file in demo.samples
            for kind, cut in [samples[file.name]]
        ],
    }
    return Bundle(
        page=page,
        packed=packed,
        config=config,
        task_script=task["script"],
        assets=(task["script"],),
        chunks=chunks,
        spare=_spare(engine),
        facts=_facts(demo, packed, image, task["title"]),
    )


def _spare(engine: Engine) -> frozenset[str]:
    """The chunks of an engine that browsers with SIMD do not fetch when a page is opened."""
    variants = [part for v in engine.variants for part in (v.script, v.wasm) if part]
    spare = {name for part in (engine.plain, *variants) for name in part.files}
    return frozenset(spare.difference(engine.script.files, engine.simd.files))


def completed(demo: DemoSpec, signature: Signature) -> tuple[ImageInput | None, list[SitegenError]]:
    """The page's input with what the model says of it, and everything that only the model can tell is wrong.

    That is labels that do not match its classes, and an input that is no picture, or not of that size.
    """
    errors: list[SitegenError] = []
    image = _image_input(demo, signature, errors)
    _check_labels(demo, signature, errors)
    return image, errors


def ref_json(ref: FileRef) -> dict[str, Any]:
    """contract.ts: FileRef."""
    return {
        "bytes": ref.bytes,
        "encoding": ref.encoding,
        "chunks": [list(chunk) for chunk in ref.chunks],
    }


def _tensor_json(spec: TensorSpec) -> dict[str, Any]:
    return {"name": spec.name, "dtype": spec.dtype, "shape": list(spec.shape)}


def _input_json(image: ImageInput) -> dict[str, Any]:
    return {
        "width": image.width,
        "height": image.height,
        "channels": image.channels,
        "resize": image.resize,
        "invert": image.invert,
        "scale": image.scale,
        "mean": list(image.mean),
        "std": list(image.std),
        "sources": list(image.sources),
        "draw": {"stroke": image.stroke, "fit": image.fit},
    }


def _human(file: SourceFile) -> str:
    stem = file.path.stem
    return stem.replace("_", " ").replace("-", " ").strip() or stem


def _image_input(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> ImageInput | None:
    """The page's input block completed by the model's signature, [N, height, width, channels]."""
    place = demo.places["model.source"]
    if len(signature.inputs) != 1:
        what = f"{demo.task} takes a model with one input; this one has {len(signature.inputs)}"
        errors.append(SitegenError(what, place))
        return None
    shape = signature.inputs[0].shape
    if len(shape) != 4 or signature.inputs[0].dtype != "float32":
        what = f"{demo.task} takes pictures, float32 [N, height, width, channels]; the model takes "
        what += f"{signature.inputs[0].dtype} {text.shape(shape)}"
        errors.append(SitegenError(what, place))
        return None
    values = {}
    for axis, key in enumerate(("height", "width", "channels"), start=1):
        said, has = getattr(demo.input, key), shape[axis]
        if said is not None and has != -1 and said != has:
            what = f"input says {key} {said}, but the model takes {text.shape(shape)}"
            errors.append(SitegenError(what, demo.places["input"], hint="leave it out"))
        if said is None and has == -1:
            what = f"the model takes any {key}: {text.shape(shape)}"
            hint = "say it: input: {size: [height, width], channels: 3}"
            errors.append(SitegenError(what, demo.places["input"], hint))
        values[key] = said if has == -1 else has
    channels = values["channels"]
    if channels is not None and channels not in (1, 3):
        what = f"pictures have 1 or 3 channels; the model takes {text.shape(shape)}"
        errors.append(SitegenError(what, place))
    for key in ("mean", "std"):
        count = len(getattr(demo.input, key))
        if channels is not None and count not in (1, channels):
            what = f"input.{key} has {count} numbers, but the model takes {channels} channel(s)"
            errors.append(SitegenError(what, demo.places["input"]))
    if errors or channels is None:
        return None
    given = demo.input
    return ImageInput(
        height=values["height"],
        width=values["width"],
        channels=channels,
        resize=given.resize,
        invert=given.invert,
        scale=given.scale,
        mean=given.mean * channels if len(given.mean) == 1 else given.mean,
        std=given.std * channels if len(given.std) == 1 else given.std,
        sources=given.sources,
        stroke=given.stroke,
        fit=given.fit,
    )


def _check_labels(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> None:
    shape = signature.outputs[0].shape
    classes = shape[-1] if len(shape) == 2 else -1
    if len(shape) != 2:
        what = f"{demo.task} takes a model with output [N, classes]; this one gives {text.shape(shape)}"
        errors.append(SitegenError(what, demo.places["model.source"]))
    elif demo.labels and classes not in (-1, len(demo.labels)):
        what = f"{text.plural(len(demo.labels), 'label')} for a model with {classes} classes"
        hint = "one name for each output of the model, in its order"
        errors.append(SitegenError(what, demo.places["labels"], hint))


def _facts(demo: DemoSpec, packed: Packed, image: ImageInput, task_title: str) -> tuple[tuple[str, str], ...]:
    colour = "grey" if image.channels == 1 else "RGB"
    classes = len(demo.labels) or packed.signature.outputs[0].shape[-1]
    facts = [
        ("Task", task_title),
        ("Input", f"{image.width} × {image.height} pixels, {colour}"),
        ("Classes", text.number(classes) if classes > 0 else "any"),
        ("Parameters", text.number(packed.parameters)),
        *loss.facts(packed),
    ]
    if packed.apart is not None:
        facts.append(("Checked against TensorFlow", f"equal to {packed.apart:.0e}"))
    if demo.license:
        facts.append(("Licence", demo.license))
    if demo.origin:
        facts.append(("Origin", demo.origin))
    return tuple(facts)
