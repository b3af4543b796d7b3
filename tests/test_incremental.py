"""A build after changes gives what a clean build gives, byte for byte."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sitegen import build
from tests.conftest import make

HERE = Path(__file__).parent
SHARED = ("blobs", "steps/convert", "steps/plan")
NAMES = st.sampled_from(["a", "b", "deep/c", "Deep Name"])
DEMO = """---
title: {title}
task: image-classification
model: {{source: {model}}}
quantize: {scheme}
labels: [x, y, z]
samples: dot.png
---
Text {title}.
"""
DOT = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010800000000"
    "3a7e9b550000000a49444154789c6368000000820081dd436af40000000049454e44ae426082"
)


class Project(RuleBasedStateMachine):
    """Changes of a project in any order; after each the incremental build is compared with a clean one."""

    shared: Path

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "project"
        (self.root / "content").mkdir(parents=True)
        self.write("a.md", "---\ntitle: A\n---\n")
        self.lay_cache(self.root)

    def lay_cache(self, root: Path) -> None:
        """An empty cache but for the conversion of models, which would take ten seconds each time, and their plans."""
        (root / build.CACHE_FOLDER / "steps").mkdir(parents=True)
        for shared in SHARED:
            (root / build.CACHE_FOLDER / shared).symlink_to(self.shared / shared)

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / "content" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())

    @rule(name=NAMES, text=st.sampled_from(["one", "two", "[a](../content/a.md)"]))
    def write_page(self, name: str, text: str) -> None:
        self.write(f"{name}.md", f"---\ntitle: T {text[:3]}\n---\n{text.replace('[a](../content/a.md)', 'a link')}\n")

    @rule(name=NAMES, scheme=st.sampled_from(["none", "float16", "uint8"]), title=st.sampled_from(["T", "U"]))
    def write_demo(self, name: str, scheme: str, title: str) -> None:
        folder = name.rpartition("/")[0]
        place = f"{folder}/" if folder else ""
        self.write(f"{place}tiny.keras", (HERE / "models/tiny.keras").read_bytes())
        self.write(f"{place}dot.png", DOT)
        self.write(f"{name}.md", DEMO.format(title=title, model="tiny.keras", scheme=scheme))

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        path = self.root / "content" / f"{name}.md"
        if path.exists() and name != "a":
            path.unlink()

    @rule(title=st.sampled_from(["One", "Two"]))
    def set_title(self, title: str) -> None:
        (self.root / "sitegen.toml").write_text(f'title = "{title}"\n')

    @rule(color=st.sampled_from(["red", "blue"]))
    def restyle(self, color: str) -> None:
        path = self.root / "themes/default/style.css"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"p {{ color: {color}; }}\n")

    @invariant()
    def same_as_clean(self) -> None:
        if not hasattr(self, "root"):
            return
        make(self.root)
        clean = self.folder / "clean"
        shutil.rmtree(clean, ignore_errors=True)
        shutil.copytree(self.root, clean, ignore=shutil.ignore_patterns("output", build.CACHE_FOLDER))
        self.lay_cache(clean)
        make(clean)
        assert contents(self.root / "output") == contents(clean / "output")

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            shutil.rmtree(self.folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_incremental_equals_clean(shared_cache: Path) -> None:
    Project.shared = shared_cache
    for shared in SHARED:
        (shared_cache / shared).mkdir(parents=True, exist_ok=True)
    checks = settings(
        max_examples=8, stateful_step_count=8, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
    )
    run_state_machine_as_test(Project, settings=checks)
