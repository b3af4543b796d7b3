"""The declarations of a package: those of its task, with the page's labels and columns for the aliases in them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

# As they stand in runtime/src/package/types.ts.
LABEL = "export type Label = string;"
ROW = "export type Row = Record<string, number | string>;"
_WHOLE = re.compile(r"0|[1-9][0-9]*")


def declared(text: str, config: Mapping[str, Any]) -> str:
    """index.d.ts; `config` is contract.ts: DemoConfig."""
    assert LABEL in text
    assert ROW in text
    made = text.replace(LABEL, f"export type Label = {_union(_labels(config))};")
    columns = config["takes"].get("columns")
    return made.replace(ROW, _row(columns)) if columns else made


def _labels(config: Mapping[str, Any]) -> list[str]:
    """Types that a label is one of. What has no name is called by its number, or is just a result."""
    names, points = config["labels"], config["output"].get("points")
    if points:
        return _named(points["names"], points["count"], "`Point ${number}`")
    shape = config["model"]["signature"]["outputs"][0]["shape"]
    count = shape[-1] if shape and shape[-1] > 0 else None
    if config["task"] == "tabular-regression":
        return _named(names, count, '"Result"')
    if config["task"] == "tensors":
        return ["string"]
    # One number alone is the second of two classes, unless just one has a name; maps and boxes may have any.
    pair = count == 1 and len(names) != 1
    sure = config["task"] not in ("object-detection", "image-segmentation")
    return _named(names, (2 if pair else count) if sure else None, "`Class ${number}`")


def _named(names: Sequence[str], count: int | None, other: str) -> list[str]:
    told = [json.dumps(name, ensure_ascii=False) for name in names]
    return told if count is not None and len(names) >= count else [*told, other]


def _row(columns: Sequence[Mapping[str, Any]]) -> str:
    lines = []
    for column in columns:
        if column["kind"] == "choice":
            numbers = [choice for choice in column["choices"] if _WHOLE.fullmatch(choice)]
            kind = _union([*(json.dumps(choice, ensure_ascii=False) for choice in column["choices"]), *numbers])
        else:
            unit = f" {column['unit']}" if column["unit"] else ""
            lines.append(f"  /** {column['min']:g} to {column['max']:g}{unit.replace('*/', '')} */")
            kind = "number"
        lines.append(f"  {json.dumps(column['name'], ensure_ascii=False)}: {kind};")
    return "\n".join(["export interface Row {", *lines, "}"])


def _union(types: Sequence[str]) -> str:
    return " | ".join(dict.fromkeys(types))
