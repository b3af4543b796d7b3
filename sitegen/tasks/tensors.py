"""Any model: numbers in as JSON, numbers out as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen import text
from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature, TensorSpec

NAME = "tensors"
SOURCES: tuple[str, ...] = ()
TAKES: tuple[str, ...] = ()
SAMPLES = "text"


def fits(info: Mapping[str, Any]) -> bool:
    """Always."""
    return True


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Nothing: the model says it all."""
    return []


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """There is nothing to complete."""
    return Completed(None, {}), []


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """The ends of the model."""
    return [("Input", _ends(signature.inputs)), ("Output", _ends(signature.outputs))]


def _ends(specs: tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"{spec.dtype} {text.shape(spec.shape)}" for spec in specs)
