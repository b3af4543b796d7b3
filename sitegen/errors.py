"""The one error that people see: what is wrong, where, and how to cure it."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Iterable
from dataclasses import dataclass


class Kind(enum.Enum):
    """Who can put it right; the value is the process's exit code."""

    AUTHOR = 1
    USAGE = 2
    BUG = 3


@dataclass(frozen=True)
class Place:
    """A place in a file of the project; line and column count from 1."""

    file: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        parts = [self.file, self.line, self.column]
        return ":".join(str(p) for p in parts if p is not None)


class SitegenError(Exception):
    """One thing that is wrong.

    `what` is a sentence without its full stop; `where` the place it is wrong at; `hint` the cure. Where the place is
    not known, `key` may name the front matter's key ("quantize.max_kl"), whose place others know.
    An exception that it comes from travels as `__cause__`.
    """

    def __init__(
        self,
        what: str,
        where: Place | None = None,
        hint: str | None = None,
        kind: Kind = Kind.AUTHOR,
        key: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint
        self.kind = kind
        self.key = key

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}\n  hint: {self.hint}" if self.hint else text

    def __reduce__(self) -> tuple[type[SitegenError], tuple[object, ...]]:
        # Conversion runs in another process: the error comes back by pickle with all its parts.
        return (type(self), (self.what, self.where, self.hint, self.kind, self.key))

    def as_json(self) -> dict[str, object]:
        """What `--json` prints for it."""
        return {
            "what": self.what,
            "file": self.where.file if self.where else None,
            "line": self.where.line if self.where else None,
            "column": self.where.column if self.where else None,
            "hint": self.hint,
        }


class Unreachable(SitegenError):
    """A file that could not be had this time: no network, no server, no such file.

    It says nothing against the file, so a model that a page can do without may be left out. What is raised as a plain
    SitegenError (a wrong hash, a wrong address, a full disk) must stop the build.
    """


class Unmeasurable(SitegenError):
    """A model on which nobody can tell what quantization loses.

    It says nothing against the model: where measuring was not asked for, its weights are made small without.
    """


class BuildFailed(Exception):
    """Everything that was found wrong in one build, in the order of the places."""

    def __init__(self, errors: Iterable[SitegenError]) -> None:
        self.errors = sorted(errors, key=_order)
        super().__init__("\n".join(str(e) for e in self.errors))


def _order(error: SitegenError) -> tuple[str, int, int]:
    place = error.where or Place("")
    return (place.file, place.line or 0, place.column or 0)


def first_line(error: Exception) -> str:
    """What another library's exception says, short enough for one of ours; its type when it says nothing."""
    lines = [line.strip() for line in str(error).strip().splitlines()]
    # TensorFlow's errors of execution begin with where in Python, and end with what, before the node.
    nodes = [index for index, line in enumerate(lines) if line.startswith("[[{{node") and index]
    if nodes:
        return lines[nodes[0] - 1].rstrip(".")
    return lines[0].rstrip(".") if lines else type(error).__name__


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint that names the nearest of `known`, or lists them all when none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f'did you mean "{near[0]}"?'
    return "known: " + ", ".join(names) if names else None
