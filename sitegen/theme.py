"""Themes: Jinja2 templates and the files beside them -> HTML.

A template is looked for in the site's own themes/<theme>/ first, then in the built-in theme of that name, then in the
built-in default; `default/page.html` always names the built-in one, so that a site's page.html can extend it and
change a block. themes/README.md is the contract that templates are written to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from sitegen.errors import Place, SitegenError, did_you_mean
from sitegen.records import Blob

_HERE = Path(__file__).parent
# In the wheel the themes lie in the package; in the source tree beside it.
BUILT_IN = _HERE / "themes" if (_HERE / "themes").is_dir() else _HERE.parent / "themes"

_CSS_URL = re.compile(r"""url\(\s*(['"]?)(?!data:|#|[a-z]+:)([^'")]+)\1\s*\)""")


class Theme:
    """A theme, ready to render; collects the files that its templates ask for."""

    def __init__(self, root: Path, name: str, place: Place, compiled: Path) -> None:
        """`compiled` is a folder for compiled templates. Raises SitegenError when there is no theme of that name."""
        own = root / "themes" / name
        folders = [own, BUILT_IN / name, BUILT_IN / "default"]
        if not any(folder.is_dir() for folder in folders[:2]):
            known = {p.name for base in (root / "themes", BUILT_IN) for p in base.glob("*/")}
            raise SitegenError(f'no theme "{name}"', place, hint=did_you_mean(name, known))
        self._root = root
        self._folders = [folder for folder in dict.fromkeys(folders) if folder.is_dir()]
        compiled.mkdir(parents=True, exist_ok=True)
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(
                [
                    jinja2.PrefixLoader({"default": jinja2.FileSystemLoader(BUILT_IN / "default")}),
                    jinja2.FileSystemLoader(self._folders),
                ]
            ),
            undefined=jinja2.StrictUndefined,
            # Compiling the templates would be the half of a build that has nothing to do.
            bytecode_cache=jinja2.FileSystemBytecodeCache(str(compiled)),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.files: dict[str, Blob] = {}
        self._paths: dict[str, str] = {}

    def asset(self, name: str) -> str:
        """Takes a file of the theme into the site; gives its path there. Raises SitegenError when there is none."""
        if name not in self._paths:
            path = next((f / name for f in self._folders if (f / name).is_file()), None)
            if path is None:
                known = [p.name for f in self._folders for p in f.iterdir() if p.is_file()]
                what = f'the theme has no file "{name}"'
                raise SitegenError(what, hint=did_you_mean(name, known))
            data = path.read_bytes()
            if name.endswith(".css"):
                data = self._stylesheet(name, data.decode("utf-8")).encode()
            self._paths[name] = add_asset(self.files, name, Blob.of(data))
        return self._paths[name]

    def _stylesheet(self, name: str, text: str) -> str:
        """Points url(...) at the hashed names of the theme's own files."""
        folder = PurePosixPath(name).parent

        def url(found: re.Match[str]) -> str:
            inner = self.asset((folder / found[2]).as_posix())
            return f"url({PurePosixPath(inner).name})"

        return _CSS_URL.sub(url, text)

    def render(self, template: str, root: str, context: Mapping[str, Any]) -> bytes:
        """One page as UTF-8 HTML; `root` is the relative URL of the site's root from it.

        Raises SitegenError at the template's line for mistakes in templates.
        """
        try:
            html = self._environment.get_template(template).render(
                {**context, "root": root, "asset": lambda name: root + self.asset(name)}
            )
        except jinja2.TemplateSyntaxError as error:
            place = Place(self._label(error.filename or error.name or template), error.lineno)
            raise SitegenError(f"the template is broken: {error.message}", place) from error
        except jinja2.TemplateNotFound as error:
            raise SitegenError(f'no template "{error.name}"', Place(template)) from error
        except jinja2.UndefinedError as error:
            raise SitegenError(
                f"the template uses what is not there: {error.message}",
                self._place_in(error),
                hint="themes/README.md lists what templates are given",
            ) from error
        return html.encode("utf-8")

    def _place_in(self, error: BaseException) -> Place | None:
        """The innermost line of a template in a traceback."""
        place = None
        trace = error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name.endswith(".html"):
                place = Place(self._label(name), trace.tb_lineno)
            trace = trace.tb_next
        return place

    def _label(self, name: str) -> str:
        path = Path(name)
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else name


def add_asset(files: dict[str, Blob], name: str, blob: Blob) -> str:
    """Adds a file under assets/ by a name that its content is part of; gives the path."""
    stem, dot, suffix = PurePosixPath(name).name.rpartition(".")
    path = f"assets/{stem}-{blob.sha256[:8]}{dot}{suffix}"
    files[path] = blob
    return path
