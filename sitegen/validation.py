"""What is wrong with keys and values that people wrote, in words and with places: for front matter and settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from sitegen.errors import Place, SitegenError, did_you_mean

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Places:
    """Where keys and values stand in a file."""

    file: str
    keys: Mapping[KeyPath, Place]
    values: Mapping[KeyPath, Place]

    def of(self, dotted: str) -> Place:
        """The place of a value such as "model.source"; the nearest that exists above it otherwise."""
        return self.value(tuple(dotted.split(".")))

    def under(self, key: str) -> dict[str, Place]:
        """The places of all values below a key by dotted names; an item of a list is a number: "input.columns.0"."""
        return {_dotted(path): place for path, place in self.values.items() if path[:1] == (key,)}

    def value(self, path: KeyPath) -> Place:
        """The place of the value at `path`, or of the nearest that exists above it."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, Place(self.file, 1, 1))

    def key(self, path: KeyPath) -> Place:
        """The place of the key itself."""
        return self.keys.get(path) or self.value(path)


def explained(detail: dict[str, Any], places: Places, model: type[BaseModel]) -> SitegenError:
    """One of pydantic's errors in our words; `model` is what the whole was held against."""
    path: KeyPath = detail["loc"]
    kind, context, given = detail["type"], detail.get("ctx", {}), detail["input"]
    if kind == "extra_forbidden":
        hint = did_you_mean(str(path[-1]), _keys_at(model, path[:-1]))
        return SitegenError(f'unknown key "{_dotted(path)}"', places.key(path), hint)
    if kind == "missing":
        return SitegenError(f'the key "{_dotted(path)}" is missing', places.value(path[:-1]))
    path = _as_written(path, places)
    name, place = _dotted(path), places.value(path)
    if kind == "literal_error":
        choices = [choice.strip("' ") for choice in _choices(context["expected"])]
        return SitegenError(f'unknown {name} "{given}"', place, did_you_mean(str(given), choices))
    if kind in ("too_short", "too_long"):
        count = context.get("min_length", context.get("max_length"))
        return SitegenError(f'"{name}" must have {count} items, not {context["actual_length"]}', place)
    if kind == "unfit":
        return SitegenError(f'"{name}" {context["what"]}', place, context["hint"])
    message = detail["msg"].replace("Input should be", "must be").replace("valid ", "").replace("string", "text")
    hint = None
    if kind == "string_type" and (given is None or isinstance(given, bool)):
        hint = "YAML reads yes, no, on, off and null as values of their own: put the word in quotes"
    return SitegenError(f'"{name}" {message[0].lower() + message[1:]}', place, hint)


def _as_written(path: KeyPath, places: Places) -> KeyPath:
    """The path of a value as the author wrote it: a shorthand was widened by one key before validation."""
    shorter = [path[:1] + path[2:], path[:-1]]
    return path if path in places.values else next((p for p in shorter if p in places.values), path)


def _dotted(path: KeyPath) -> str:
    return ".".join(str(part) for part in path)


def _choices(expected: str) -> list[str]:
    return expected.replace(" or ", ", ").split(", ")


def _keys_at(model: type[BaseModel], path: KeyPath) -> list[str]:
    """The keys that the mapping at `path` may have."""
    for part in path:
        # An item of a list is what all of them are.
        if isinstance(part, str):
            model = next(_models_in(model.model_fields[part].annotation))
    return list(model.model_fields)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in getattr(annotation, "__args__", ()):
        yield from _models_in(inner)
