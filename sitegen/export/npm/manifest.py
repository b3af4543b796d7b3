"""What a package says of itself: package.json, its card, and its licences."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sitegen.export.npm.names import Named
from sitegen.records import Bundle

_OURS = "Apache-2.0"
# Identifiers of SPDX that models come under; npm warns of what is none.
_SPDX = re.compile(
    r"0BSD|AFL-3\.0|AGPL-3\.0-only|AGPL-3\.0-or-later|Apache-2\.0|Artistic-2\.0|BSD-2-Clause|BSD-3-Clause|"
    r"BSL-1\.0|CC-BY-3\.0|CC-BY-4\.0|CC-BY-NC-4\.0|CC-BY-NC-SA-4\.0|CC-BY-SA-3\.0|CC-BY-SA-4\.0|CC0-1\.0|ECL-2\.0|"
    r"EPL-2\.0|EUPL-1\.2|GPL-2\.0-only|GPL-2\.0-or-later|GPL-3\.0-only|GPL-3\.0-or-later|ISC|LGPL-2\.1-only|"
    r"LGPL-2\.1-or-later|LGPL-3\.0-only|LGPL-3\.0-or-later|MIT|MIT-0|MPL-2\.0|ODbL-1\.0|PDDL-1\.0|Unlicense|Zlib"
)


def package(bundle: Bundle, named: Named) -> dict[str, Any]:
    """package.json."""
    page, task = bundle.page, bundle.config["task"]
    return {
        "name": named.name,
        "version": named.version,
        "description": page.summary or page.title,
        "keywords": ["machine-learning", "model", "inference", "webassembly", task],
        "license": _license(bundle),
        "main": "./index.cjs",
        "module": "./index.mjs",
        "types": "./index.d.ts",
        "unpkg": "./global.js",
        "jsdelivr": "./global.js",
        "exports": {
            ".": {
                "import": {"types": "./index.d.mts", "default": "./index.mjs"},
                "require": {"types": "./index.d.ts", "default": "./index.cjs"},
                "default": "./index.mjs",
            },
            "./global.js": "./global.js",
            "./package.json": "./package.json",
        },
        "files": ["index.*", "global.js", "parts", "licenses.txt"],
        # Parts are run for what they put into a global.
        "sideEffects": ["./parts/*.js", "./global.js"],
        "engines": {"node": ">=18"},
    }


def card(bundle: Bundle, named: Named) -> dict[str, Any]:
    """runtime/src/package/types.ts: Card."""
    page, config = bundle.page, bundle.config
    assert page.demo is not None
    return {
        "name": named.name,
        "version": named.version,
        "title": page.title,
        "summary": page.summary,
        "task": config["task"],
        "labels": config["labels"],
        "license": page.demo.license,
        "origin": page.demo.origin,
        **{which: [_one(spec, config) for spec in specs] for which, specs in config["model"]["signature"].items()},
        "facts": dict(bundle.facts),
    }


def licences(bundle: Bundle, software: str) -> str:
    """licenses.txt: of the model, then of the software."""
    assert bundle.page.demo is not None
    facts: Mapping[str, str] = dict(bundle.facts)
    told = bundle.page.demo.license or "the page that this package was made of names none"
    lines = [f"The model, {bundle.page.title}", "", f"Licence: {told}"]
    lines += [f"Origin: {facts['Origin']}"] if "Origin" in facts else []
    return "\n".join([*lines, "", "-" * 78, "", software])


def _one(spec: Mapping[str, Any], config: Mapping[str, Any]) -> dict[str, Any]:
    """An end of the model; a plan was recorded for one input at a time."""
    first, *others = spec["shape"] or [None]
    single = first == -1 and config["engine"]["name"] == "plan"
    return {**spec, "shape": [1, *others] if single else spec["shape"]}


def _license(bundle: Bundle) -> str:
    """The model's and that of the software beside it, as an expression of SPDX where there is one."""
    assert bundle.page.demo is not None
    told = bundle.page.demo.license
    if told == _OURS:
        return _OURS
    return f"({told} AND {_OURS})" if told and _SPDX.fullmatch(told) else "SEE LICENSE IN licenses.txt"
