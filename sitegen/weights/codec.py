"""A stored model -> what is shipped of it: its topology and its weights file (container.py), in chunks.

It is read from the build cache and goes back there as chunk files; nothing here knows pages.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sitegen import chunks
from sitegen.disk import Cache
from sitegen.errors import Unmeasurable, first_line
from sitegen.graph import activations, rename
from sitegen.models import store
from sitegen.records import GraphModel
from sitegen.weights import container, entropy, grids, quantize
from sitegen.weights.entropy import Matrix
from sitegen.weights.grids import Grid

INSTEAD = "float16"  # of auto, where it cannot measure
# Tensors that are listed by name; no picture shows more.
_LISTED = 32


@dataclass(frozen=True)
class Shipped:
    """A weights file; `loss` is what was measured of it, if anything was."""

    file: bytes
    sizes: Mapping[str, int]  # bytes of each tensor, without its part of the header
    loss: Mapping[str, Any] | None = None


def pack(
    stored: dict[str, Any],
    scheme: str,
    fixed: Mapping[str, str],
    use: Mapping[str, Any],
    cache: Cache,
    say: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Quantizes a stored model (models/store.py) and cuts it into chunks. Raises SitegenError.

    `fixed` has the schemes of tensors that are stored by another; `use` is what the page does with the model (auto.py
    measures with that): see steps.py; `say` is told how far it is. Gives JSON, which steps.py reads: `unmeasured` says
    (what, where, hint) why auto could not measure the model, and `scheme` is then INSTEAD.
    """
    loaded = store.load(stored, cache)
    model, names = rename.short(loaded)
    fixed = {names[name]: own for name, own in fixed.items()}
    unmeasured = None
    try:
        if scheme == "auto" and not _held(use) and grids.cover(model, fixed):
            made = _each(model, "none", fixed, grids.find(model))
        elif scheme == "auto":
            made = _auto(model, fixed, use, say)
        else:
            made = _each(model, scheme, fixed, grids.find(model) if scheme == "uint8" else {})
    except Unmeasurable as error:
        scheme, unmeasured = INSTEAD, [error.what, None, error.hint]
        made = _each(model, scheme, fixed, {})
    payloads = {"weights": made.file, "topology": store.topology(model)}
    if "anchors" in stored:
        payloads["anchors"] = store.read(cache, stored["anchors"])
    layers = [(name, value.nbytes, made.sizes[names[name]]) for name, value in loaded.weights.items()]
    return {
        **{name: chunks.keep(data, cache) for name, data in payloads.items()},
        "scheme": scheme,
        "unmeasured": unmeasured,
        "weight_bytes": sum(made.sizes.values()),
        "float32_bytes": sum(value.nbytes for value in model.weights.values()),
        "layers": sorted(layers, key=lambda layer: (-layer[1], layer[0]))[:_LISTED],
        "loss": made.loss,
    }


def _held(use: Mapping[str, Any]) -> bool:
    """Whether the page says what may be lost, or what that is to be measured on."""
    return any(use.get(key) for key in ("budget", "calibration", "labelled"))


def _each(model: GraphModel, scheme: str, fixed: Mapping[str, str], known: Mapping[str, Grid]) -> Shipped:
    """Every tensor by itself; those of `known` grids as they are, unless they are fixed."""
    kept = {name: grid for name, grid in known.items() if name not in fixed}
    tensors = [
        kept[tensor.name].tensor(tensor.name, tensor.shape) if tensor.name in kept else tensor
        for tensor in quantize.tensors(model, scheme, fixed)
    ]
    sizes = {t.name: t.data.nbytes for t in tensors if t.data is not None}
    if not kept:
        return Shipped(container.write(tensors), sizes)
    coded = [name for name in model.weights if name in kept]
    stream = entropy.encode([Matrix(kept[name].integers) for name in coded])
    for name, size in zip(coded, stream.sizes, strict=True):
        sizes[name] += size
    return Shipped(container.write(tensors, stream.data), sizes)


def _auto(model: GraphModel, fixed: Mapping[str, str], use: Mapping[str, Any], say: Callable[[str], None]) -> Shipped:
    from sitegen.weights import auto, heads
    from sitegen.weights import use as page

    model = heads.of(activations.apart(model))
    kinds = page.kinds(model, use["activation"])
    pictures = page.Pictures(model, use)
    data = pictures.files(use["calibration"])
    labelled = page.labelled(kinds, pictures, use["labelled"])
    budget = page.budget(kinds, use["budget"], use["shared"])
    from tensorflow.errors import OpError

    def told(message: str) -> None:
        say(f"{use['doing']}: {message}")

    try:
        made = auto.encode(model, kinds, pictures, budget, data=data, labelled=labelled, fixed=fixed, say=told)
    except (LookupError, OpError) as error:
        # TensorFlow's words for an operation without a gradient, and for one that it cannot compute.
        # It goes on with the name of the machine.
        why = first_line(error).partition(" in binary running on ")[0]
        what = f"quantize: auto cannot measure this model: {why}"
        raise Unmeasurable(what, hint="quantize: float16 works for any model") from error
    loss = {
        "measure": made.measure,
        "distortion": made.loss.distortion,
        "agreement": made.loss.agreement,
        "snr_db": -10 * math.log10(made.loss.distortion) if made.measure == "NMSE" else None,
        "uint8_distortion": made.uint8.distortion,
        "uint8_agreement": made.uint8.agreement,
        "inputs": made.loss.inputs,
        "on": made.loss.on,
        "float_accuracy": made.float_accuracy,
        "accuracy": made.accuracy,
        "labelled": len(use["labelled"]),
    }
    return Shipped(made.file, made.sizes, loss)
