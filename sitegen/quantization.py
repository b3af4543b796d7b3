"""What a page and the site's settings say of `quantize`, put together: the page's own keys win one by one."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from sitegen import beside
from sitegen.errors import SitegenError
from sitegen.records import DEFAULT_SCHEME, Override, Quantization, SourceFile
from sitegen.schema import FrontMatter, Quantize, SiteQuantize
from sitegen.validation import Places

_BUDGET = ("min_agreement", "max_kl", "min_snr", "max_drop")
# Those that errors are found for when the model is known.
KEYS = tuple(f"quantize.{key}" for key in ("scheme", *_BUDGET, "calibration", "labelled"))


def of_page(
    root: Path,
    file: SourceFile,
    front: FrontMatter,
    shared: SiteQuantize,
    labels: Sequence[str],
    places: Places,
    errors: list[SitegenError],
) -> Quantization:
    """How a page's weights are made small; `labels` are the names of its classes. Appends to `errors`."""
    own = front.quantize or Quantize()
    scheme = own.scheme or shared.scheme or DEFAULT_SCHEME
    for_auto = own.model_dump(exclude={"scheme", "tensors"}, exclude_defaults=True)
    if scheme != "auto":
        for key in for_auto:
            what = f'"quantize.{key}" is for quantize.scheme: auto'
            errors.append(
                SitegenError(what, places.of(f"quantize.{key}"), "leave it out, or let auto find the weights")
            )
    if own.max_drop is not None and not own.labelled:
        hint = "quantize.labelled: held-out/*/*.png, with a folder for each class"
        errors.append(SitegenError('"quantize.max_drop" needs labelled pictures', places.of("quantize.max_drop"), hint))
    budget = {key: for_auto[key] for key in _BUDGET if key in for_auto}
    from_site = shared.model_dump(include=set(_BUDGET), exclude_none=True)
    if not own.labelled:
        from_site.pop("max_drop", None)
    return Quantization(
        scheme=scheme,
        # Who says what auto may lose means auto.
        asked=bool(own.scheme or shared.scheme or for_auto),
        budget=budget,
        shared={key: value for key, value in from_site.items() if key not in budget},
        overrides=_overrides(own, shared, scheme, places, errors),
        calibration=beside.files(root, file, own.calibration, ("quantize", "calibration"), places, errors),
        labelled=_labelled(root, file, front, own.labelled, labels, places, errors),
    )


def _overrides(
    own: Quantize, shared: SiteQuantize, scheme: str, places: Places, errors: list[SitegenError]
) -> tuple[Override, ...]:
    made = []
    for pattern, one in own.tensors.items():
        path = ("quantize", "tensors", pattern)
        if one == "auto" != scheme:
            what = f'"quantize.tensors.{pattern}" can be auto only where quantize.scheme is'
            errors.append(SitegenError(what, places.value(path), "name another scheme, or let auto find the weights"))
        made.append(Override(pattern, one, places.key(path)))
    return (*made, *(Override(pattern, one, None) for pattern, one in shared.tensors.items()))


def _labelled(
    root: Path,
    file: SourceFile,
    front: FrontMatter,
    patterns: Sequence[str],
    labels: Sequence[str],
    places: Places,
    errors: list[SitegenError],
) -> tuple[tuple[SourceFile, int], ...]:
    files = beside.files(root, file, patterns, ("quantize", "labelled"), places, errors)
    place = places.of("quantize.labelled")
    if patterns and (front.labels is None or front.labels.member is not None):
        what = '"quantize.labelled" needs the names of the classes'
        errors.append(SitegenError(what, place, "a text file with one name a line: labels: labels.txt"))
    if not labels:
        return ()
    for folder in dict.fromkeys(found.path.parent.name for found in files):
        count = labels.count(folder)
        if count > 1:
            errors.append(SitegenError(f'{count} of the labels are "{folder}"', place, "give each class its own name"))
        elif not count:
            near = difflib.get_close_matches(folder, labels, 1)
            hint = f'did you mean "{near[0]}"?' if near else "a picture's folder is called as its class is in labels"
            errors.append(SitegenError(f'the folder "{folder}" of labelled pictures is no label', place, hint))
    return tuple((found, labels.index(found.path.parent.name)) for found in files if found.path.parent.name in labels)


def fixed(overrides: Sequence[Override], weights: Sequence[Sequence[Any]]) -> tuple[dict[str, str], list[SitegenError]]:
    """The schemes that the overrides give to single tensors, and the patterns of the page's that match none.

    `weights` are listed as by models/store.py: name, type, shape.
    """
    names = [name for name, kind, _ in weights if kind == "float32"]
    errors = [
        SitegenError(f'no weights are called "{one.pattern}"', one.place, _near(one.pattern, names))
        for one in overrides
        if one.place is not None and not any(fnmatchcase(name, one.pattern) for name in names)
    ]
    schemes = {}
    for name in names:
        first = next((one.scheme for one in overrides if fnmatchcase(name, one.pattern)), "auto")
        if first != "auto":
            schemes[name] = first
    return schemes, errors


def _near(pattern: str, names: Sequence[str]) -> str:
    words = [word for word in re.split(r"[*?/]+", pattern) if word]

    def likeness(name: str) -> float:
        return max(
            (difflib.SequenceMatcher(None, word, part).ratio() for word in words for part in name.split("/")), default=0
        )

    near = sorted(names, key=likeness, reverse=True)[:3]
    return f"the nearest: {', '.join(near)}; sitegen inspect --json lists all" if near else "it has none of floats"
