"""The whole story of a build: a project goes in, a Site comes out.

    content/ ──── pages ─────────────────────────────────┐
    each model ── convert ── pack (steps, worker, cache) ─┼─ bundles ── assemble ── Site ── output/
    theme, runtime/dist ─────────────────────────────────┘

Everything that is wrong is collected and raised at once. The only state is the cache, which may be deleted at any time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from sitegen import config, links, pages, runtime
from sitegen.assemble import Assembly
from sitegen.config import Settings
from sitegen.disk import Cache, Output, read_tree
from sitegen.errors import BuildFailed, SitegenError
from sitegen.models.locate import Sources
from sitegen.records import Limits, Page, Site
from sitegen.steps import Missing, Progress, Steps, pool
from sitegen.theme import Theme

CACHE_FOLDER = ".sitegen-cache"


@dataclass(frozen=True)
class Project:
    """A project's folder, its settings and where its site goes."""

    root: Path
    settings: Settings
    output: Output

    @staticmethod
    def open(root: Path, output: Path | None = None) -> Project:
        """Raises BuildFailed when the settings are wrong or there is no content."""
        root = root.resolve()
        settings = config.load(root)
        if not (root / settings.content).is_dir():
            hint = f"make {settings.content}/ with a page in it, or name the project with --project"
            raise BuildFailed([SitegenError(f"no {settings.content}/ in {root}", hint=hint)])
        folder = (output if output is not None else root / settings.output).resolve()
        return Project(root, settings, Output(folder, root))


def build(
    project: Project,
    progress: Progress,
    *,
    jobs: int = 1,
    offline: bool = False,
    strict: bool = False,
    retired: bool = False,
) -> tuple[Site, bool]:
    """Builds the site into the output folder; gives the site and whether the folder had to be written.

    With `offline` no connection is opened; with `strict` an optional model that cannot be had fails the build; with
    `retired` the site has a service worker that removes what was kept, and goes. Raises BuildFailed with everything
    that is wrong; the folder is then as it was.
    """
    errors: list[SitegenError] = []
    try:
        project.output.check()
    except SitegenError as error:
        errors.append(error)
    try:
        site = make_site(project, progress, jobs=jobs, offline=offline, strict=strict, retired=retired)
    except BuildFailed as failed:
        raise BuildFailed([*errors, *failed.errors]) from failed
    if errors:
        raise BuildFailed(errors)
    if project.output.holds(site.files):
        return site, False
    progress(f"writing {project.output.label}/")
    project.output.write(site.files)
    return site, True


def make_site(
    project: Project,
    progress: Progress,
    *,
    jobs: int = 1,
    preview: bool = False,
    offline: bool = False,
    strict: bool = False,
    retired: bool = False,
) -> Site:
    """The site as a value. Raises BuildFailed with everything that is wrong with the project."""
    settings = project.settings
    cache = Cache(project.root / CACHE_FOLDER)
    limits = Limits(settings.convert_seconds, settings.convert_memory * 1_000_000)
    try:
        compiled = runtime.load()
        look = Theme(
            project.root, settings.theme, config.place(project.root, settings, "theme"), cache.root / "templates"
        )
        tree = read_tree(project.root, settings.content)
        found, errors = pages.load(project.root, tree, settings, compiled.tasks)
        if not found and not errors:
            hint = f"make one: {settings.content}/hello.md"
            errors.append(SitegenError(f"no pages in {settings.content}/", hint=hint))
        with (
            Sources(project.root, cache, progress, offline=offline) as sources,
            pool(cache.root / "convert.log", jobs, limits, progress) as executor,
        ):
            steps = Steps(cache, executor, progress, sources, strict=strict)
            assembly = Assembly(settings, look, compiled, steps, preview=preview, retired=retired)
            demos = [(page, steps.named(page.demo, errors)) for page in found if page.demo is not None]
            packed = steps.packed([demo for _, demo in demos], errors)
        bundles, warnings = {}, []
        left_out: list[tuple[Page, SitegenError]] = []
        for (page, demo), model in zip(demos, packed, strict=True):
            if isinstance(model, Missing):
                warnings.append(f"{model.why.where}: the page is left out: {model.why.what}")
                left_out.append((page, model.why))
                continue
            types, broken = assembly.sample_types(demo)
            errors += broken
            if model is not None and not broken:
                bundles[page.path] = assembly.bundled(page, demo, model, types)
        if errors:
            raise BuildFailed(errors)
        there = []
        gone_paths = {page.path for page, _ in left_out}
        for page in found:
            if page.path not in gone_paths:
                unlinked, gone = links.without(page, gone_paths)
                warnings += [
                    f"{page.source}: links to {path} are plain text, as that page is left out" for path in gone
                ]
                there.append(unlinked)
        return replace(assembly.site(there, bundles), warnings=tuple(warnings), left_out=tuple(left_out))
    except SitegenError as error:
        raise BuildFailed([error]) from error
    finally:
        cache.close()
