"""The house keeps its shape: imports go one way, every name that people write is documented, all code is checked."""

from __future__ import annotations

import ast
import gzip
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitegen import config, models, runtime
from sitegen.cli import cli
from sitegen.host import KINDS
from sitegen.runtime.node import executable
from sitegen.schema import FrontMatter
from sitegen.tasks import TASKS
from sitegen.weights.quantize import SCHEMES
from tests.conftest import REPOSITORY

PACKAGE = REPOSITORY / "sitegen"
RUNTIME = PACKAGE / "runtime"
# A room may import from the rows above its own; rooms of one row do not know one another.
ROWS = (
    "errors",
    "names npy policy records schema text validation",
    "beside config describe disk frontmatter host icon loss media picture runtime thumbnail",
    "chunks graph labels links offline quantization tasks theme vocabulary",
    "models",
    "bundle pages watch weights",
    "plan proof",
    "inspection",
    "worker",
    "workers",
    "steps",
    "provenance",
    "assemble look",
    "newpage newsite deploy",
    "build check",
    "report export",
    "serve",
    "cli",
)
RANK = {room: rank for rank, row in enumerate(ROWS) for room in row.split()}


def rooms() -> Iterator[tuple[str, Path]]:
    """Every Python file of the package with the room that it belongs to."""
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if "node_modules" not in parts and parts[0] not in ("__init__", "__main__", "themes"):
            yield parts[0], path


def imported(path: Path) -> Iterator[str]:
    """The rooms that a file imports from, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "sitegen":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sitegen."):
            assert node.module is not None
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("sitegen."))


def test_imports_go_one_way() -> None:
    wrong = [
        f"{path.relative_to(REPOSITORY)} imports {other}"
        for room, path in rooms()
        for other in imported(path)
        if other != room and RANK[other] >= RANK[room]
    ]
    assert wrong == []


def test_every_key_is_documented() -> None:
    text = (REPOSITORY / "docs/front-matter.md").read_text("utf-8")
    for name in keys(FrontMatter.model_json_schema()):
        assert re.search(rf"^\| `{re.escape(name)}` \|", text, re.M), f"no row for {name}"


def keys(schema: dict[str, object], prefix: str = "") -> Iterator[str]:
    """Dotted names of all keys of a JSON Schema of nested objects."""
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)

    def walk(node: object, path: str) -> Iterator[str]:
        if not isinstance(node, dict):
            return
        if "$ref" in node:
            yield from walk(definitions[node["$ref"].rpartition("/")[2]], path)
        for name, inner in node.get("properties", {}).items():
            dotted = f"{path}.{name}" if path else name
            yield dotted
            yield from walk(inner, dotted)
        for inner in node.get("anyOf", []) + node.get("allOf", []):
            yield from walk(inner, path)

    yield from walk(schema, prefix)


def test_every_task_has_both_halves() -> None:
    assert sorted(TASKS) == sorted(runtime.load().tasks)


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (sorted(cli.commands), "README.md"),
        (config.KEYS, "README.md"),
        (sorted(KINDS), "README.md"),
        (sorted(SCHEMES), "docs/front-matter.md"),
        ([f.NAME for f in models.FORMATS], "docs/front-matter.md"),
        (sorted(runtime.load().tasks), "docs/front-matter.md"),
    ],
    ids=["verbs", "settings", "faults", "schemes", "formats", "tasks"],
)
def test_every_name_is_documented(names: list[str], file: str) -> None:
    text = (REPOSITORY / file).read_text("utf-8")
    assert [name for name in names if not re.search(rf"`(sitegen )?{re.escape(name)}[ `@]", text)] == []


def test_links_between_documents_lead_somewhere() -> None:
    for document in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/*.md"), *REPOSITORY.glob("themes/*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


@pytest.mark.parametrize("folder", [RUNTIME, REPOSITORY / "tests/vite"], ids=["runtime", "vite"])
def test_the_lock_file_names_no_address(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_text("utf-8"))["packages"]
    assert all("resolved" not in package for package in packages.values())
    assert all("integrity" in package for name, package in packages.items() if name)


# What a demo page fetches before its first weight, in bytes as they lie on the host: a change that costs more is a
# decision, not an accident.
BUDGETS = {
    "page.js": 35_700,
    "early.js": 1_050,
    "kept.js": 1_600,
    "cards.js": 1_000,
    "sw.js": 9_600,
    "retire.js": 1_000,
    "image-classification.js": 30_300,
    "object-detection.js": 31_300,
    "image-segmentation.js": 30_500,
    "audio-classification.js": 30_000,
    "pose-estimation.js": 31_700,
    "video-classification.js": 31_700,
    "tensors.js": 20_000,
    "demo.css": 7_600,
    "image-classification.css": 1_000,
    "image-segmentation.css": 800,
    "object-detection.css": 1_600,
    "tensors.css": 1_000,
    "audio-classification.css": 1_400,
    "pose-estimation.css": 1_600,
    "video-classification.css": 2_300,
    "tabular-classification.css": 2_300,
    "text-classification.css": 1_400,
    "tabular-classification.js": 22_600,
    "tabular-regression.js": 21_500,
    "text-classification.js": 20_500,
    "graph.js": 480_000,
    "plan.js": 98_000,
    # In npm packages, beside the engine.
    "image-classification.package.js": 13_500,
    "object-detection.package.js": 14_800,
    "image-segmentation.package.js": 13_500,
    "pose-estimation.package.js": 15_400,
    "video-classification.package.js": 14_400,
    "audio-classification.package.js": 15_000,
    "tabular-classification.package.js": 10_500,
    "tabular-regression.package.js": 9_500,
    "text-classification.package.js": 9_700,
    "tensors.package.js": 9_600,
    # On demand, where they are faster.
    "plan-threads.js": 102_000,
    "webgl.js": 470_000,
    "webgpu.js": 405_000,
}
# The same as they travel.
GZIPPED = {
    "plan.js": 32 << 10,
    "plan-threads.js": 33 << 10,
    "graph.js": 125 << 10,
    "webgl.js": 122 << 10,
    "webgpu.js": 108 << 10,
    "backend-simd.wasm": 140 << 10,
    "backend.wasm": 140 << 10,
    "backend-threaded-simd.wasm": 140 << 10,
}


@pytest.mark.parametrize("name", BUDGETS)
def test_scripts_stay_small(name: str) -> None:
    assert (RUNTIME / "dist" / name).stat().st_size <= BUDGETS[name]


@pytest.mark.parametrize("name", GZIPPED)
def test_engines_travel_light(name: str) -> None:
    assert len(gzip.compress((RUNTIME / "dist" / name).read_bytes(), 9)) <= GZIPPED[name]


def run(*command: str, cwd: Path = REPOSITORY) -> None:
    """Fails with what the command printed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def tool(name: str) -> str:
    """A program that came with the test requirements."""
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    assert found, f"{name} is not installed: pip install -e '.[test]'"
    return found


def test_python_style() -> None:
    run(tool("ruff"), "check", ".")


def test_python_format() -> None:
    run(tool("ruff"), "format", "--check", ".")


def test_python_types() -> None:
    run(tool("mypy"))


def test_typescript_types() -> None:
    run(executable(), "types.mjs", cwd=RUNTIME)


def test_typescript_format() -> None:
    run(
        executable(),
        "node_modules/prettier/bin/prettier.cjs",
        "--check",
        ".",
        "../../themes/**/*.css",
        cwd=RUNTIME,
    )


def test_dist_is_of_this_source(tmp_path: Path) -> None:
    """What is tested is what the source compiles to: an editable install is not compiled again by itself."""
    before = {path.name: path.read_bytes() for path in (RUNTIME / "dist").iterdir()}
    run(executable(), "build.mjs", str(tmp_path), cwd=RUNTIME)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before, "compile it: pip install -e ."
