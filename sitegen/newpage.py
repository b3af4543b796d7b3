"""A page for a model: the front matter that fits it, and a text to fill in."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sitegen import pages
from sitegen.disk import write_whole
from sitegen.errors import SitegenError
from sitegen.look import Asked
from sitegen.models import archive
from sitegen.tasks import TASKS

Info = Mapping[str, Any]  # what look() gives


def front_matter(info: Info, source: str, asked: Asked) -> str:
    """The front matter for a model that a page names `source`: of the first task that the model fits."""
    task = next(task for task in TASKS.values() if task.fits(info))
    lines = [
        f"title: {_yaml(_title(source))}",
        "summary: One sentence about it.",
        f"task: {task.NAME}",
        *_model(source, asked),
    ]
    lines += task.front_matter(info)
    return "---\n" + "\n".join(lines) + "\n---\n"


def _model(source: str, asked: Asked) -> list[str]:
    more = {"member": asked.member, "format": asked.format, "signature": asked.signature}
    said = [f"{key}: {_yaml(value)}" for key, value in more.items() if value]
    if asked.outputs:
        said.append(f"outputs: [{', '.join(_yaml(name) for name in asked.outputs)}]")
    if not said:
        return [f"model: {_yaml(source)}"]
    return ["model:", f"  source: {_yaml(source)}", *(f"  {line}" for line in said)]


def _title(source: str) -> str:
    stem = re.sub(r"(\.tar)?\.\w+$", "", source.rstrip("/").rpartition("/")[2])
    words = re.sub(r"[_\W]+", " ", stem).strip()
    return words[:1].upper() + words[1:] or "A model"


def _yaml(value: str) -> str:
    """A string as YAML reads it back: plain where that is safe, else quoted as JSON, which YAML contains."""
    plain = re.fullmatch(r"[A-Za-z./][\w ./+@-]*", value) and not value.endswith(" ")
    taken = value.lower() in ("null", "true", "false", "yes", "no", "on", "off", "y", "n", ".inf", ".nan", "~")
    return value if plain and not taken else json.dumps(value, ensure_ascii=False)


_TEXT = """
What the model does, what it was trained on and what it gets wrong.

{{ demo }}
"""


def write(info: Info, asked: Asked, root: Path, content: str) -> tuple[Path, bool]:
    """Writes the page of a model; gives its path and whether the model was copied beside it.

    A model that lies in the content folder already stays where it is. Raises SitegenError when there is such a page
    already: nothing is overwritten.
    """
    folder = (root / content).resolve()
    model = None if asked.remote else Path(asked.source).resolve()
    copied = False
    if model is not None and model.is_relative_to(folder):
        page = _beside(model, folder)
        source = model.relative_to(page.parent).as_posix()
    else:
        name = pages.slug(_title(asked.source))
        page = folder / name / "index.md"
        source, copied = (model.name, True) if model is not None else (asked.source, False)
    text = front_matter(info, source, asked)
    if page.exists():
        raise SitegenError(f"{page.relative_to(root)} is there already", hint="remove it, or rename the model")
    if copied and model is not None:
        _copy(model, page.parent, info)
    page.parent.mkdir(parents=True, exist_ok=True)
    write_whole(page, (text + _TEXT).encode())
    return page, copied


def _beside(model: Path, folder: Path) -> Path:
    """A model in a folder of its own has its page there; one in the content folder itself, a page beside it."""
    if model.parent == folder:
        return folder / f"{pages.slug(_title(model.name))}.md"
    return model.parent / "index.md"


def _copy(model: Path, folder: Path, info: Info) -> None:
    if folder.exists():
        raise SitegenError(f"{folder} is there already", hint="remove it, or rename the model")
    if model.is_dir():
        shutil.copytree(model, folder / model.name)
        return
    # A model.json brings its weight files; an archive is one file, whatever is in it.
    names = [model.name] if archive.is_archive(model) else info["files"]
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(model.parent / name, target)
