"""A text in, a score for every class out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sitegen import text
from sitegen.errors import Place, SitegenError
from sitegen.records import Completed, DemoSpec, Signature
from sitegen.tasks import classes

NAME = "text-classification"
SOURCES: tuple[str, ...] = ()
TAKES = ("samples", "input.text", *classes.TAKES)
SAMPLES = "text"


def fits(info: Mapping[str, Any]) -> bool:
    """A text in, by a layer of the model's own, and probabilities out."""
    return bool(info["text"]) and classes.fits(info)


def front_matter(info: Mapping[str, Any]) -> list[str]:
    """Labels."""
    return [*classes.front_matter(info), "# Texts to try, one a line: samples: samples.txt"]


def completed(demo: DemoSpec, signature: Signature) -> tuple[Completed | None, list[SitegenError]]:
    """How a text becomes the model's input, as contract.ts has it: TextConfig; labels have to match the classes."""
    errors: list[SitegenError] = []
    output = classes.completed(demo, signature, errors)
    said = _said(demo, signature, errors)
    _check_samples(demo, errors)
    shape, dtype = signature.inputs[0].shape, signature.inputs[0].dtype
    if len(signature.inputs) != 1 or len(shape) != 2 or dtype == "bool":
        ends = ", ".join(f"{spec.dtype} {text.shape(spec.shape)}" for spec in signature.inputs)
        what = f"{demo.task} takes a model with one input, [N, tokens] or [N, vocabulary]; this one takes {ends}"
        errors.append(SitegenError(what, demo.places["model.source"]))
        return None, errors
    if said is None:
        return None, errors
    widths = said["ngrams"]
    told = {
        **{key: said[key] for key in ("standardize", "split", "mode")},
        "ngrams": list(range(1, widths + 1)) if isinstance(widths, int) else list(widths),
        "length": _length(demo, said, shape, errors),
    }
    files = {"Vocabulary": json.dumps(said["vocabulary"], ensure_ascii=False, separators=(",", ":")).encode()}
    return None if errors else Completed(None, output, {"text": told}, files), errors


def facts(demo: DemoSpec, completed: Completed, signature: Signature) -> list[tuple[str, str]]:
    """How many tokens the model knows and takes, and how many classes there are."""
    told = completed.takes["text"]
    known = len(json.loads(completed.files["Vocabulary"]))
    most = f", the first {told['length']} of a text" if told["mode"] == "int" and told["length"] else ""
    return [("Input", f"text, {text.number(known)} tokens known{most}"), classes.fact(demo, signature)]


def _said(demo: DemoSpec, signature: Signature, errors: list[SitegenError]) -> Mapping[str, Any] | None:
    """How a text becomes numbers, by the page or by the model."""
    page: Mapping[str, Any] | None = demo.takes.get("text")
    if page and signature.text:
        what = "the model makes numbers of text itself, and brings its vocabulary"
        errors.append(SitegenError(what, demo.places["input.text"], "leave input.text out"))
    elif not page and not signature.text:
        hint = "input: {text: {vocabulary: vocabulary.txt}}, or save the model with its TextVectorization as .keras"
        errors.append(SitegenError(f"{demo.task} needs input.text", demo.places["task"], hint))
    return page or signature.text


def _length(demo: DemoSpec, said: Mapping[str, Any], shape: Sequence[int], errors: list[SitegenError]) -> int | None:
    """How many numbers the model is given; None: as many as there are tokens."""
    taken = shape[1]
    if said["mode"] != "int":
        known = len(said["vocabulary"])
        if -1 < taken < known:
            what = f"the vocabulary has {text.plural(known, 'token')}; the model takes {text.shape(shape)}"
            errors.append(SitegenError(what, demo.places["input.text.vocabulary"]))
        return max(known, taken)
    length: int | None = said["length"]
    if taken == -1:
        return length
    if length not in (None, taken):
        what = f"input.text says length {length}, but the model takes {taken} tokens"
        errors.append(SitegenError(what, demo.places["input.text.length"], "leave it out"))
    return taken


def _check_samples(demo: DemoSpec, errors: list[SitegenError]) -> None:
    for file in demo.samples:
        try:
            empty = not file.path.read_text("utf-8-sig").strip()
        except UnicodeDecodeError:
            continue  # others say so
        if empty:
            errors.append(SitegenError(f"{file.name} has no texts", Place(file.name, 1, 1), "write one a line"))
