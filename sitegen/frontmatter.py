"""YAML front matter -> FrontMatter, with the place of every key kept for errors."""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import ValidationError

from sitegen.errors import Place, SitegenError
from sitegen.schema import FrontMatter
from sitegen.validation import KeyPath, Places, explained

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def split(text: str, file: str) -> tuple[str, str, int]:
    """Front matter, body, and the line of the file that the body starts on (from 1).

    Raises SitegenError when there is no front matter, or when its end is missing.
    """
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].rstrip() != "---":
        raise SitegenError(
            "the page has no front matter",
            Place(file, 1, 1),
            hint="begin it with a line ---, then title: ..., then a line ---",
        )
    for number, line in enumerate(lines[1:], start=1):
        if line.rstrip() == "---":
            return "".join(lines[1:number]), "".join(lines[number + 1 :]), number + 2
    raise SitegenError("the front matter does not end", Place(file, 1, 1), hint="close it with a line ---")


def parse(yaml_text: str, file: str) -> tuple[FrontMatter | None, Places, list[SitegenError]]:
    """Reads front matter that starts on line 2 of `file`, and everything that is wrong with it.

    With errors in single keys, FrontMatter holds what can be told without those keys, so that the checks that follow
    find their errors in the same run; with YAML that does not parse it is None.
    """
    empty = Places(file, {}, {})
    try:
        loader = _Loader(yaml_text)
        try:
            node = loader.get_single_node()
            value = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        return None, empty, [_yaml_error(error, file)]
    except yaml.YAMLError as error:
        return None, empty, [SitegenError(f"the front matter is not YAML: {error}", Place(file, 2, 1))]
    except ValueError as error:  # a date such as 2026-02-30
        return None, empty, [SitegenError(f"the front matter is not YAML: {error}", Place(file, 2, 1))]
    if value is None:
        value = {}
    if not isinstance(value, dict):
        hint = "write one key: value a line"
        return None, empty, [SitegenError("the front matter is no mapping", Place(file, 2, 1), hint)]
    keys: dict[KeyPath, Place] = {}
    values: dict[KeyPath, Place] = {(): Place(file, 1, 1)}
    errors: list[SitegenError] = []
    if node is not None:
        _locate(node, (), file, keys, values, errors)
    places = Places(file, keys, values)
    try:
        return FrontMatter.model_validate(value), places, errors
    except ValidationError as error:
        errors += [explained(dict(detail), places, FrontMatter) for detail in error.errors()]
        return _without(value, [detail["loc"] for detail in error.errors()]), places, errors


def _without(value: dict[str, Any], paths: list[KeyPath]) -> FrontMatter | None:
    """What is left when the keys at `paths` are taken out."""
    rest = {"title": "?", **value}
    for path in paths:
        # One level is fine enough: a mapping with a bad key says nothing reliable.
        rest.pop(str(path[0]), None)
        if path[0] == "title":
            rest["title"] = "?"
    try:
        return FrontMatter.model_validate(rest)
    except ValidationError:
        return None


def _yaml_error(error: yaml.MarkedYAMLError, file: str) -> SitegenError:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 2, mark.column + 1) if mark else Place(file, 2, 1)
    hint = None
    problem = error.problem or "unreadable"
    if "cannot start any token" in problem:
        hint = "YAML wants spaces, not tabs; a text that begins with a special character needs quotes"
    elif "mapping values are not allowed" in problem:
        hint = "a text that holds a colon and a space needs quotes"
    return SitegenError(f"the front matter is not YAML: {problem}", place, hint)


def _locate(
    node: yaml.Node,
    path: KeyPath,
    file: str,
    keys: dict[KeyPath, Place],
    values: dict[KeyPath, Place],
    errors: list[SitegenError],
) -> None:
    if path:
        values[path] = _mark(node, file)
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            inner = (*path, str(key_node.value))
            if inner in keys:
                errors.append(SitegenError(f'the key "{key_node.value}" stands twice', _mark(key_node, file)))
            keys[inner] = _mark(key_node, file)
            _locate(value_node, inner, file, keys, values, errors)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _locate(item, (*path, index), file, keys, values, errors)


def _mark(node: yaml.Node, file: str) -> Place:
    return Place(file, node.start_mark.line + 2, node.start_mark.column + 1)
