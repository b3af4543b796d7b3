"""Any model: numbers in as JSON, numbers out as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature, TensorSpec

NAME = "tensors"
SOURCES: tuple[str, ...] = ()


def fits(info: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Nothing: the model says it all."""
    return []


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """There is nothing to complete, and nothing to say in `input`, `output`, `labels` and `samples`."""
    errors = [
        SitegenError(f"{demo.task} takes numbers, and makes nothing of {key}", demo.places[key], "leave it out")
        for key in ("input", "output", "labels", "samples")
        if key in demo.said
    ]
    return Completed(None, {}) if not errors else None, errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The ends of the model."""
    return [("Input", _ends(signature.inputs)), ("Output", _ends(signature.outputs))]


def _ends(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.dtype} {text.shape(spec.shape)}" for spec in specs)
