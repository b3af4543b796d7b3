"""What demos do: one module a task, behind a visible table; docs/tasks.md says how to add one.

A task's module holds its model against the page and completes the page's `input` and `output` with what the model says.
The other half of a task, what visitors see, is its script: runtime/src/widgets/<task>/.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Protocol

from sitegen.errors import SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import (
    audio_classification,
    image_classification,
    image_segmentation,
    object_detection,
    pose_estimation,
    tabular_classification,
    tabular_regression,
    tensors,
    text_classification,
    video_classification,
)

Info = Mapping[str, Any]  # a model as `sitegen inspect` tells it


class Task(Protocol):
    """What a module of a task has."""

    @property
    def NAME(self) -> str:  # noqa: N802
        """What pages call it."""

    @property
    def SOURCES(self) -> Sequence[str]:  # noqa: N802
        """The ways in of pages that name none; empty for tasks that take no pictures."""

    @property
    def TAKES(self) -> Collection[str]:  # noqa: N802
        """What it makes something of, of `labels`, `samples` and the keys of `input` and `output`: `input.size`, ..."""

    @property
    def SAMPLES(self) -> str:  # noqa: N802
        """The kind of its samples: media.py."""

    def fits(self, info: Info) -> bool:
        """Whether `sitegen new page` may suggest the task for a model."""

    def front_matter(self, info: Info) -> list[str]:
        """Lines of YAML for a model that fits: what a page has to say of it."""

    def completed(self, demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
        """The page's input and output with what the model says of them; None, and what is wrong, where they clash."""

    def facts(self, demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
        """What the page's table of facts says of input and output."""


# `sitegen new page` suggests the first that fits.
_MODULES: tuple[Task, ...] = (
    object_detection,
    image_segmentation,
    image_classification,
    pose_estimation,
    video_classification,
    audio_classification,
    text_classification,
    tabular_classification,
    tabular_regression,
    tensors,
)
TASKS: Mapping[str, Task] = {task.NAME: task for task in _MODULES}


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """What the demo's task makes of its page and model; None, and all that is wrong, where they clash."""
    task = TASKS[demo.task]
    made, errors = task.completed(demo, signature)
    surplus = [_surplus(demo, key) for key in sorted(demo.said) if key not in task.TAKES and _is_for_tasks(key)]
    return (None if surplus else made), [*surplus, *errors]


def _is_for_tasks(key: str) -> bool:
    return key in ("labels", "samples") or key.startswith(("input.", "output."))


def _surplus(demo: DemoSpec, key: str) -> SitegenError:
    return SitegenError(f'{demo.task} makes nothing of "{key}"', demo.places[key], "leave it out")
