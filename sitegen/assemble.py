"""Pages, bundles, theme and runtime -> Site: every file that is written, by its path."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from functools import cached_property
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

import sitegen
from sitegen import bundle, chunks, icon, media, names, offline, pages, picture, policy, provenance, text, theme
from sitegen.config import Settings
from sitegen.disk import MARKER
from sitegen.errors import SitegenError
from sitegen.records import DEMO_MARK, Blob, Bundle, Chunked, DemoSpec, Packed, Page, Site
from sitegen.runtime import Runtime
from sitegen.steps import Steps
from sitegen.tasks import TASKS

# The variant of an engine that is for sites with `threads`.
THREADS = "wasm-threads"


class Assembly:
    """A site while it is put together."""

    def __init__(
        self,
        settings: Settings,
        look: theme.Theme,
        compiled: Runtime,
        steps: Steps,
        *,
        preview: bool = False,
        retired: bool = False,
    ) -> None:
        """For a `preview`, or for a site whose service worker is `retired`: it removes what was kept, and goes."""
        self._settings = settings
        self._theme = look
        self._runtime = compiled
        self._steps = steps
        self._preview = preview
        self._retired = retired
        self._files: dict[str, Blob] = {}
        self._thumbnails: dict[str, str] = {}
        self._icons: list[tuple[str, int, str]] = []

    def sample_types(self, demo: DemoSpec) -> tuple[dict[str, str], list[SitegenError]]:
        """The media types of a demo's samples by name, and what is wrong with its files, whatever its model."""
        types, errors = {}, []
        # Of a task that there is none of, nobody knows what samples it has.
        given = [(file, "sample", TASKS[demo.task].SAMPLES) for file in demo.samples if demo.task in TASKS]
        given += [(file, "picture", "picture") for file in demo.pictures]
        for file, key, kind in given:
            told = self._steps.media_type(file, kind)
            if told is None:
                what = f"the {key} {file.name} is no {media.KINDS[kind].what}"
                place = demo.places["samples" if key == "sample" else key]
                errors.append(SitegenError(what, place, media.KINDS[kind].which))
            elif key == "sample":
                types[file.name] = told
        return types, errors

    def bundled(self, page: Page, demo: DemoSpec, packed: Packed, types: Mapping[str, str]) -> Bundle:
        """The demo of a page whose samples are right (`types`)."""
        samples = {f.name: (types[f.name], self._steps.cut(self._steps.linked(f))) for f in demo.samples}
        task = self._runtime.tasks[demo.task]
        return bundle.make(
            page,
            demo,
            packed,
            samples,
            self._engine(packed.engine),
            [self._compiled(name) for name in (task["script"], task["style"]) if name],
            task["title"],
            self._steps.cut,
        )

    def _engine(self, name: str) -> bundle.Engine:
        engine = self._runtime.index["engines"][name]

        def cut(name: str, *, thorough: bool = False) -> Chunked:
            return self._steps.cut(self._runtime.read(name), thorough=thorough)

        wasm = engine["wasm"]
        variants = tuple(
            bundle.Variant(v["backend"], cut(v["script"]), cut(v["wasm"]) if v["wasm"] else None)
            for v in engine["variants"]
            if self._settings.threads or v["backend"] != THREADS
        )
        script, simd = cut(engine["script"], thorough=True), cut(wasm["simd"], thorough=True)
        return bundle.Engine(name, script, simd, cut(wasm["plain"]), variants)

    def _compiled(self, name: str) -> str:
        """Takes a file of the runtime into the site; gives its path there."""
        return theme.add_asset(self._files, name, self._runtime.read(name))

    def site(self, found: list[Page], bundles: Mapping[str, Bundle]) -> Site:
        """Renders every page; `bundles` are by the path of their page."""
        for made in bundles.values():
            for name, blob in made.chunks.items():
                self._files[chunks.path(name)] = blob
        for page in found:
            self._files |= {path: self._steps.linked(file) for path, file in page.linked.items()}
        self._draw_thumbnails(found)
        self._files["site.webmanifest"] = self._web_manifest()
        self._files["licenses.txt"] = self._runtime.read(self._runtime.index["licenses"])
        listed = sorted((page for page in found if page.path != pages.FRONT_PAGE), key=_place)
        shared = self._shared(listed, bundles)
        for page, template in [
            (self._front(found), "index.html"),
            (_bare(offline.STAND_IN, "Not saved on this device"), "offline.html"),
            *((page, "page.html") for page in listed),
        ]:
            up = "../" * page.path.count("/") or "./"
            context = {**shared, **self._context(page, up, bundles.get(page.path))}
            self._files[page.path] = Blob.of(self._theme.render(template, up, context))
        self._files |= self._theme.files
        return self._seal(found, bundles)

    def _draw_thumbnails(self, found: list[Page]) -> None:
        for page in found:
            demo = page.demo
            shown = demo and (demo.pictures or (demo.samples if TASKS[demo.task].SAMPLES == "picture" else ()))
            if shown:
                drawn = self._steps.thumbnail(shown)
                self._thumbnails[page.path] = theme.add_asset(self._files, "thumbnail.webp", drawn)

    def _web_manifest(self) -> Blob:
        source = self._theme.files[self._theme.asset(icon.SOURCE)]
        for side in icon.SIDES:
            for purpose in ("any", "maskable"):
                drawn = self._steps.icon(source, side, maskable=purpose == "maskable")
                path = theme.add_asset(self._files, f"icon-{purpose}-{side}.png", drawn)
                self._icons.append((path, side, purpose))
        settings = self._settings
        return offline.web_manifest(settings.title, settings.description, settings.lang, self._icons)

    def _front(self, found: list[Page]) -> Page:
        written = next((page for page in found if page.path == pages.FRONT_PAGE), None)
        return written or _bare(pages.FRONT_PAGE, self._settings.title, self._settings.description)

    def _shared(self, listed: list[Page], bundles: Mapping[str, Bundle]) -> dict[str, Any]:
        """What every template is given: themes/README.md."""
        settings = self._settings
        return {
            "preview": self._preview,
            "site": {
                "title": settings.title,
                "description": settings.description,
                "lang": settings.lang,
                "version": sitegen.__version__,
                "pages": [self._card(page, bundles.get(page.path)) for page in listed],
            },
        }

    def _card(self, page: Page, made: Bundle | None) -> dict[str, Any]:
        return {
            "title": page.title,
            "summary": page.summary,
            "url": page.path,
            "task": page.demo.task if page.demo else None,
            "task_title": self._task_title(page),
            "offline": self._keeping(page, made),
            "bytes_text": text.size(self.download(made)) if made else "",
            "thumbnail": self._thumbnails.get(page.path),
        }

    def download(self, made: Bundle) -> int:
        """The bytes that a demo fetches beyond the site's shell: its scripts and chunks, of the SIMD backend."""
        scripts = sum(self._files[path].size for path in made.assets)
        return scripts + sum(b.size for name, b in made.chunks.items() if name not in made.spare)

    def _own(self, page: Page, made: Bundle | None) -> list[str]:
        """The paths of the files, chunks aside, that a page needs besides the site's shell."""
        drawn = self._thumbnails
        # A page that is kept brings the picture of its card, as the front page may be too large to keep all of them.
        cards = drawn if page.path == pages.FRONT_PAGE else {page.path} & drawn.keys()
        pictures = {drawn[path] for path in cards}
        return [*(made.assets if made else ()), *sorted(page.embedded), *sorted(pictures)]

    def _keeping(self, page: Page, made: Bundle | None) -> str:
        """When a page is kept: one that takes more than the limit waits for the visitor, as with `ask`."""
        if self._retired:
            return "never"
        chunked = sum(b.size for name, b in made.chunks.items() if name not in made.spare) if made else 0
        size = chunked + sum(self._files[path].size for path in self._own(page, made))
        return "ask" if page.offline == "auto" and size > self._settings.offline_limit else page.offline

    def _task_title(self, page: Page) -> str | None:
        return self._runtime.tasks[page.demo.task]["title"] if page.demo else None

    def _context(self, page: Page, up: str, made: Bundle | None) -> dict[str, Any]:
        """What the template of one page is given besides: themes/README.md."""
        index = self._runtime.index
        styles = [self._theme.asset("style.css"), self._compiled(index["style"])]
        styles += [path for path in made.assets if path.endswith(".css")] if made else []
        deferred = [path for path in made.assets if path.endswith(".js")] if made else []
        if page.path == pages.FRONT_PAGE:
            deferred.append(self._compiled(index["cards"]))
        if page.path == offline.STAND_IN:
            deferred.append(self._compiled(index["kept"]))
        if self._preview:
            deferred.append(self._compiled(index["preview"]))
        # The page's own waits for nobody: it fetches the model while the page is parsed.
        scripts = [(self._compiled(index["page"]), "async"), *((path, "defer") for path in deferred)]
        body = page.body.replace(DEMO_MARK, _DEMO.format(task=page.demo.task) if page.demo else "")
        demo = page.demo
        early = self._early(page, made)
        return {
            "csp": policy.page(early),
            "early": Markup(early),
            "config_json": self._config_json(page, up, made),
            "styles": [up + path for path in styles],
            "scripts": [(up + path, when) for path, when in scripts],
            "title": page.title,
            "summary": page.summary,
            "intro": Markup(body),
            "page": {
                "title": page.title,
                "summary": page.summary,
                "path": page.path,
                "offline": self._keeping(page, made),
                "body": Markup(body),
                "toc": Markup(page.toc),
                "facts": list(made.facts) if made else [],
                "layers": picture.layers(made.packed) if made else "",
                "source_license": demo.license if demo else None,
                "origin": demo.origin if demo else None,
                "task": demo.task if demo else None,
                "task_title": self._task_title(page),
            },
        }

    def _early(self, page: Page, made: Bundle | None) -> str:
        """The script in the head of a page that loads its model by itself: runtime/src/page/early.ts."""
        loads = made is not None and self._keeping(page, made) == "auto" and not self._preview
        return self._early_script if loads else ""

    @cached_property
    def _early_script(self) -> str:
        return self._runtime.read(self._runtime.index["early"]).read().decode()

    def _config_json(self, page: Page, up: str, made: Bundle | None) -> Markup:
        """contract.ts: PageConfig, safe inside a script element."""
        page_config = {
            "format": 1,
            "page": quote(page.path),
            "root": up,
            "offline": self._keeping(page, made),
            "preview": self._preview,
            "retired": self._retired,
            "alone": False,
            "assets": [offline.asset_ref(path, self._files[path]) for path in self._own(page, made)],
            "demo": made.config if made else None,
        }
        as_text = json.dumps(page_config, ensure_ascii=False, separators=(",", ":"))
        return Markup(as_text.replace("<", "\\u003c"))

    def _seal(self, found: list[Page], bundles: Mapping[str, Bundle]) -> Site:
        """Adds what names the whole: the worker, which knows this build, and the list of all files."""
        files = self._files
        script = self._runtime.read(self._runtime.index["retired" if self._retired else "worker"])
        isolated = self._settings.threads
        digest = hashlib.sha256(f"{script.sha256} {isolated}".encode())
        for path in sorted(files):
            digest.update(f"{path}\n{files[path].sha256}\n".encode())
        build = digest.hexdigest()[:16]
        demos_own = {path for made in bundles.values() for path in made.assets} | set(self._thumbnails.values())
        # Browsers look for one of them on every visit, and for the others when the site is installed.
        looked_for = (icon.SIDES[0], "any")
        demos_own |= {path for path, *kind in self._icons if tuple(kind) != looked_for}
        demos_own.add(self._theme.asset(icon.SOURCE))
        shell = {pages.FRONT_PAGE, offline.STAND_IN, "site.webmanifest"} | {
            path for path in files if path.startswith("assets/") and path not in demos_own
        }
        paths = {pages.FRONT_PAGE, *(page.path for page in found)}
        files["sw.js"] = (
            script if self._retired else offline.worker(script, build, shell, paths, files, isolated=isolated)
        )
        marker = provenance.told(build, self._runtime.index["versions"], bundles.values(), files)
        _check_names(files)
        files[MARKER] = Blob.of(json.dumps(marker, indent=1).encode() + b"\n")
        return Site(files, build, tuple(bundles.values()), tuple(found), isolated=isolated)


def _place(page: Page) -> tuple[float, str]:
    """Where a page's card stands: those that say it first, the others by path."""
    return (math.inf if page.order is None else page.order), page.path


def _check_names(files: Mapping[str, Blob]) -> None:
    """The last look at names that no page is to blame for, such as those of a theme's files."""
    for path in files:
        flaw = names.flaw(path)
        if flaw:
            raise SitegenError(f"the file {path} cannot be copied everywhere: {flaw}", hint="rename it")
    for one, other in names.clashes(files):
        what = f"on some file systems {one} and {other} cannot both be there"
        raise SitegenError(what, hint="rename one of them")


_DEMO = (
    '<sitegen-demo class="demo" data-task="{task}">'
    "<p>This demo runs in your browser, which needs JavaScript for it.</p>"
    "</sitegen-demo>"
)


def _bare(path: str, title: str, summary: str = "") -> Page:
    """A page that no author wrote."""
    return Page("", path, title, summary, "auto", "", "", None)
