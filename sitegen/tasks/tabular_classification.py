"""A row of a table in, a score for every class out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes, tables

NAME = "tabular-classification"
SOURCES: tuple[str, ...] = ()
TAKES = (*tables.TAKES, *classes.TAKES)
SAMPLES = tables.SAMPLES


def fits(info: Mapping[str, Any]) -> bool:
    """Numbers in, probabilities out."""
    return tables.fits(info) and classes.fits(info)


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Columns and labels."""
    return [*tables.front_matter(info), *classes.front_matter(info)]


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """The features, and the activation; labels have to match the classes."""
    errors: list[SitegenError] = []
    features = tables.completed(demo, signature, demo.labels, errors)
    output = classes.completed(demo, signature, errors)
    return None if errors else Completed(None, output, {"columns": features}), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """How many features and classes there are."""
    return [tables.facts(demo), classes.fact(demo, signature)]
