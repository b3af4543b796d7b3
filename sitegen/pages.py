"""Markdown with front matter -> Page.

Where pages come from: `content/digits/index.md` (a page bundle: whatever lies beside it belongs to it, other Markdown
files included) and `content/digits.md` both become digits/index.html. `content/index.md` is the front page's text.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

import markdown
from markdown.extensions import Extension
from markdown.extensions.abbr import AbbrExtension
from markdown.extensions.admonition import AdmonitionExtension
from markdown.extensions.attr_list import AttrListExtension
from markdown.extensions.def_list import DefListExtension
from markdown.extensions.fenced_code import FencedCodeExtension
from markdown.extensions.footnotes import FootnoteExtension
from markdown.extensions.md_in_html import MarkdownInHtmlExtension
from markdown.extensions.sane_lists import SaneListExtension
from markdown.extensions.tables import TableExtension
from markdown.extensions.toc import TocExtension

from sitegen import beside, frontmatter, labels, links, names, quantization, vocabulary
from sitegen.config import Settings
from sitegen.errors import Place, SitegenError, did_you_mean
from sitegen.records import DEMO_MARK, ArrayFile, DemoSpec, ImageInput, ModelRef, Output, Page, SourceFile
from sitegen.schema import FrontMatter
from sitegen.schema import ModelRef as ModelFront
from sitegen.tasks import TASKS
from sitegen.validation import Places

FRONT_PAGE = "index.html"
# Folders of the site that hold the build's own files, and those files that are not in one.
RESERVED = {"assets", "chunks", "files", "__sitegen__"}
RESERVED |= {"index.html", "licenses.txt", "offline.html", "site.json", "site.webmanifest", "sw.js"}
_DEMO_PARAGRAPH = "<p>{{ demo }}</p>"


@dataclass(frozen=True)
class _Text:
    """A page's file, taken apart."""

    front: FrontMatter
    places: Places
    body: str
    body_line: int


def _candidates(tree: Mapping[str, SourceFile], content: str) -> list[tuple[str, SourceFile]]:
    folders = {name.rpartition("/")[0] for name in tree if name.endswith("/index.md")}
    bundles = folders - {content}
    found = []
    for name, file in tree.items():
        if not name.endswith(".md"):
            continue
        relative = PurePosixPath(name).relative_to(content)
        inside = next((b for b in bundles if name.startswith(f"{b}/")), None)
        if inside and relative.name != "index.md":
            continue
        parts = [slug(part) for part in relative.with_suffix("").parts]
        if parts[-1] == "index":
            parts.pop()
        found.append(("/".join([*parts, "index.html"]), file))
    return found


def slug(name: str) -> str:
    """A file's name as a part of an address: lower case, no spaces or signs, safe on every file system."""
    return re.sub(r"[^\w.-]+", "-", unicodedata.normalize("NFC", name.lower())).strip("-.") or "page"


def load(
    root: Path,
    tree: Mapping[str, SourceFile],
    settings: Settings,
    tasks: Collection[str],
) -> tuple[list[Page], list[SitegenError]]:
    """Every page of the project in order of path, and everything that is wrong with them.

    `tasks` are the names of the tasks that the runtime can do. A page with errors is left out of the pages.
    """
    errors: list[SitegenError] = []
    pages: list[Page] = []
    taken: dict[str, SourceFile] = {}
    candidates = _candidates(tree, settings.content)
    by_source = {file.name: path for path, file in candidates}
    for path, file in candidates:
        other = taken.setdefault(names.folded(path), file)
        if other is not file:
            what = f"two pages on one address, {path}: {other.name} and {file.name}"
            errors.append(SitegenError(what, Place(file.name), hint="rename one of them"))
            continue
        *folders, last = path.split("/")
        if (folders and folders[0] in RESERVED) or last in folders:
            what = f"the address {path} is kept for the build's own files"
            errors.append(SitegenError(what, Place(file.name), hint="rename the page"))
            continue
        flaw = names.flaw(path)
        if flaw:
            what = f"the address {path} cannot be copied everywhere: {flaw}"
            errors.append(SitegenError(what, Place(file.name), hint="rename the page"))
            continue
        page, problems = _load_one(root, path, file, settings, tasks)
        errors += problems
        if page is None:
            continue
        resolved, problems = links.resolve(page, root, by_source, tree, file.path.read_text("utf-8"))
        errors += problems
        pages.append(resolved)
    return sorted(pages, key=lambda p: p.path), errors


def _load_one(
    root: Path, path: str, file: SourceFile, settings: Settings, tasks: Collection[str]
) -> tuple[Page | None, list[SitegenError]]:
    text, errors = _read(file)
    if text is None:
        return None, errors
    demo = None
    if text.front.task is None:
        errors += _needs_task(text)
    elif path == FRONT_PAGE:
        hint = "give the demo a page of its own"
        errors.append(SitegenError("the front page takes no demo", text.places.of("task"), hint))
    else:
        demo, problems = _demo(root, file, text, settings, tasks, flawed=bool(errors))
        errors += problems
    body, toc = _render(text.body)
    marks = body.count(_DEMO_PARAGRAPH)
    if marks and text.front.task is None:
        place = _find(file.name, text, "{{ demo }}")
        hint = "say which with task: and model:, or take {{ demo }} out"
        errors.append(SitegenError("the page places a demo but has none", place, hint))
    elif marks > 1:
        place = _find(file.name, text, "{{ demo }}")
        errors.append(SitegenError("{{ demo }} stands more than once", place, "keep one"))
    elif demo and not marks:
        body = DEMO_MARK + body
    page = Page(
        source=file.name,
        path=path,
        title=text.front.title,
        summary=text.front.summary,
        offline=text.front.offline or settings.offline,
        body=body.replace(_DEMO_PARAGRAPH, DEMO_MARK),
        toc=toc,
        demo=demo,
        order=text.front.order,
    )
    return page, errors


def _read(file: SourceFile) -> tuple[_Text | None, list[SitegenError]]:
    data = file.path.read_bytes()
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        hint = "save it as UTF-8 in your editor"
        what = f"the file is not UTF-8: byte 0x{data[error.start]:02x}"
        return None, [SitegenError(what, Place(file.name, line, column), hint)]
    try:
        head, body, body_line = frontmatter.split(text, file.name)
    except SitegenError as error:
        return None, [error]
    front, places, errors = frontmatter.parse(head, file.name)
    if front is None:
        return None, errors
    return _Text(front, places, body, body_line), errors


def _needs_task(text: _Text) -> list[SitegenError]:
    """Keys that mean nothing without a task are a forgotten task."""
    if text.front.model is None:
        return []
    hint = "add task: image-classification, for one"
    return [SitegenError("the page has a model but no task", text.places.of("model"), hint)]


def _extensions() -> list[Extension]:
    """Python-Markdown's own, as objects: finding them by name would scan every package that is installed."""
    return [
        # Alignment by style attributes would break the page's Content-Security-Policy.
        TableExtension(use_align_attribute=True),
        TocExtension(toc_depth="2-3"),
        FencedCodeExtension(),
        FootnoteExtension(),
        AdmonitionExtension(),
        AttrListExtension(),
        DefListExtension(),
        AbbrExtension(),
        SaneListExtension(),
        MarkdownInHtmlExtension(),
    ]


def _render(body: str) -> tuple[str, str]:
    engine = markdown.Markdown(extensions=_extensions())
    # What may be too wide for a phone has to be reached by keyboard to be moved.
    html = re.sub("<(pre|table)>", r'<\1 tabindex="0">', engine.convert(body))
    toc: str = getattr(engine, "toc", "")
    # A list of contents helps from three headings on.
    return html, toc if toc.count("<li>") >= 3 else ""


def _find(name: str, text: _Text, needle: str) -> Place:
    before, found, _ = text.body.partition(needle)
    if not found:
        return Place(name)
    return Place(name, text.body_line + before.count("\n"), len(before) - (before.rfind("\n") + 1) + 1)


def _demo(
    root: Path,
    file: SourceFile,
    text: _Text,
    settings: Settings,
    tasks: Collection[str],
    flawed: bool,
) -> tuple[DemoSpec | None, list[SitegenError]]:
    front, places = text.front, text.places
    errors: list[SitegenError] = []
    assert front.task is not None
    if front.task not in tasks:
        hint = did_you_mean(front.task, tasks)
        errors.append(SitegenError(f'unknown task "{front.task}"', places.of("task"), hint))
    model = None
    if front.model is None and ("model",) not in places.values:
        hint = "add model: with the file of the model"
        errors.append(SitegenError("the page has a task but no model", places.of("task"), hint))
    elif front.model is not None:
        model = _model(root, file, front.model, places, errors)
    named = labels.read(root, file, front.labels, places, errors)
    samples = beside.files(root, file, front.samples, ("samples",), places, errors)
    pictures = beside.files(root, file, front.picture, ("picture",), places, errors)
    for key in ("mean", "std"):
        values = getattr(front.input, key)
        if len(values) not in (1, 3):
            place = places.of(f"input.{key}")
            errors.append(SitegenError(f'"input.{key}" takes one number or three', place))
    if 0 in front.input.std:
        errors.append(SitegenError('"input.std" divides: it cannot be 0', places.of("input.std")))
    if "pad" in front.input.model_fields_set and front.input.resize != "letterbox":
        what = f'nothing is around a picture with "input.resize: {front.input.resize}"'
        errors.append(SitegenError(what, places.of("input.pad"), "leave pad out, or say resize: letterbox"))
    usual = TASKS[front.task].SOURCES if front.task in TASKS else ()
    sources = [s for s in front.input.sources or usual if s != "samples" or samples]
    image = ImageInput(
        height=front.input.size[0] if front.input.size else None,
        width=front.input.size[1] if front.input.size else None,
        channels=front.input.channels,
        resize=front.input.resize,
        pad=front.input.pad,
        antialias=front.input.antialias,
        crop=front.input.crop,
        invert=front.input.invert,
        scale=front.input.scale,
        mean=tuple(front.input.mean),
        std=tuple(front.input.std),
        sources=tuple(sources),
        max_fps=front.input.max_fps,
        stroke=front.input.draw.stroke,
        fit=front.input.draw.fit,
    )
    takes = front.input.takes()
    mean = front.input.clip.mean if front.input.clip else None
    arrays = _arrays(root, file, front, places, errors)
    if front.input.text is not None:
        takes["text"]["vocabulary"] = vocabulary.read(root, file, front.input.text, places, errors)
    lists = {
        "groups": labels.groups(root, file, front.output.groups, places, errors),
        "columns": front.output.columns and tuple(front.output.columns),
        "limbs": None if front.output.limbs is None else tuple(tuple(limb) for limb in front.output.limbs),
    }
    output = Output(**{**front.output.model_dump(), **lists})
    said = _said(front)
    keys = {"task", "model.source", "model.format", "labels", "samples", "input", "output", *quantization.KEYS, *said}
    known = {key: places.of(key) for key in keys} | places.under("input")
    if front.quantize is None:
        # The site's settings speak for the page, and its model is what does not suit them.
        known |= dict.fromkeys(quantization.KEYS, known["model.source"])
    return (
        DemoSpec(
            task=front.task,
            model=model,
            format=front.model.format if front.model else None,
            signature=front.model.signature if front.model else None,
            architecture=front.model.architecture if front.model else None,
            outputs=tuple(front.model.outputs) if front.model else (),
            license=front.model.license if front.model else None,
            origin=front.model.origin if front.model else None,
            quantize=quantization.of_page(root, file, front, settings.quantize, named, places, errors),
            input=image,
            output=output,
            labels=named,
            labels_file=labels.in_archive(front.labels),
            backend=front.backend,
            samples=samples,
            pictures=pictures,
            takes=takes,
            arrays=arrays,
            array_members={"input.clip.mean": mean.member} if mean and mean.member is not None else {},
            said=said,
            places=known,
            sound=model is not None and not (errors or flawed),
        ),
        errors,
    )


def _said(front: FrontMatter) -> frozenset[str]:
    """The keys that stand in the front matter, and those within them."""
    blocks = {"model": front.model, "input": front.input, "output": front.output}
    within = {f"{name}.{key}" for name, block in blocks.items() if block for key in block.model_fields_set}
    return frozenset(front.model_fields_set | within)


def _model(
    root: Path, file: SourceFile, front: ModelFront, places: Places, errors: list[SitegenError]
) -> ModelRef | None:
    source, place = front.source, places.of("model.source")
    within = tuple(front.files.items())
    more = {"sha256": front.sha256, "sha512": front.sha512}
    if re.match(r"https?://", source, re.I):
        return ModelRef(source, None, member=front.member, optional=front.optional, files=within, **more)
    for key, value in more.items():
        if value is not None:
            what = f'"model.{key}" is for models behind an address'
            errors.append(SitegenError(what, places.of(f"model.{key}"), "leave it out"))
    if re.match(r"file:", source, re.I):
        source = unquote(urlsplit(source).path)
    elif re.match(r"[a-z][a-z0-9+.-]+://", source, re.I):
        errors.append(SitegenError(f"no such kind of address: {source}", place, "http:, https: or file:, or a path"))
        return None
    path = (file.path.parent / source).resolve()
    if not path.exists():
        near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
        hint = (did_you_mean(path.name, near) if near else None) or "paths start at the page's folder"
        errors.append(SitegenError(f"the model {source} does not exist", place, hint))
        return None
    try:
        os.scandir(path).close() if path.is_dir() else path.open("rb").close()
    except OSError as error:
        errors.append(SitegenError(f"the model {source} cannot be read: {error.strerror}", place))
        return None
    return ModelRef(beside.name(root, path), path, member=front.member, optional=front.optional, files=within)


def _arrays(
    root: Path, file: SourceFile, front: FrontMatter, places: Places, errors: list[SitegenError]
) -> dict[str, ArrayFile]:
    """The files of numbers that the page's input names, by their keys."""
    mean = front.input.clip.mean if front.input.clip else None
    return {
        key: found
        for key, name in [("input.clip.mean", mean.file if mean else None)]
        if name is not None and (found := beside.array(root, file, name, places.of(key), errors))
    }
