"""The command line: verbs, arguments and exit codes.

Exit codes: 0 done; 1 something that the author can put right; 2 usage; 3 a bug in sitegen; 130 interrupted.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

import sitegen
from sitegen import report, text
from sitegen.check.result import BROWSERS
from sitegen.errors import BuildFailed, Kind, SitegenError
from sitegen.export import FORMS
from sitegen.export.npm.names import FIRST_VERSION

if TYPE_CHECKING:
    from sitegen.look import Asked

INTERRUPTED = 130
# Models that are converted at once where nobody says how many.
_AT_ONCE = min(2, os.cpu_count() or 1)
# What one demo goes into.
_ONE = {"html": "page", "npm": "package"}

_project = click.option(
    "--project",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    help="The project's folder (default: this one).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(sitegen.__version__, prog_name="sitegen")
def cli() -> None:
    """Static sites of self-contained machine learning demos that run in the visitor's browser."""


@cli.command()
@_project
@click.option("--output", type=click.Path(path_type=Path), help="Where the site goes (default: output/).")
@click.option("--jobs", "-j", type=click.IntRange(1, 64), default=None, help="Models to convert at once.")
@click.option("--offline", is_flag=True, help="Open no connection: models behind addresses come from the cache.")
@click.option("--strict", is_flag=True, help="An optional model that cannot be had fails the build.")
@click.option("--retire-worker", "retired", is_flag=True, help="A site that keeps nothing, and removes what was kept.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def build(
    project: Path, output: Path | None, jobs: int | None, offline: bool, strict: bool, retired: bool, as_json: bool
) -> None:
    """Builds the site into output/."""
    from sitegen import build as builder

    began = time.monotonic()
    reporter = report.choose(as_json)
    with _told(reporter):
        with reporter.working():
            opened = builder.Project.open(project, output)
            workers = jobs or _AT_ONCE
            site, written = builder.build(
                opened, reporter.progress, jobs=workers, offline=offline, strict=strict, retired=retired
            )
        reporter.built(site, opened.output.label, written, time.monotonic() - began)


@cli.command()
@_project
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option("--base", default="/", show_default=True, help="Serve under this sub-path.")
@click.option(
    "--fault",
    "specs",
    multiple=True,
    metavar="FAULT",
    help="No preview: serve as a static host does, with its service worker, and have this go wrong. May be repeated.",
)
def serve(project: Path, host: str, port: int, base: str, specs: tuple[str, ...]) -> None:
    """Previews the site; the browser follows every change.

    A FAULT is KIND[@N][xCOUNT]:GLOB, such as "cut@65536x2:*.js": what goes wrong, at which byte, how many times (else
    every time), and with which paths of the site ("*" matches slashes too). Of several, the first that matches counts.

    Kinds: cut@N (closed at byte N of the body), short@N (ends there without Content-Length), head (closed within the
    headers), stall@N (silence after byte N), corrupt@N (byte N is another), length@+N or length@-N (a wrong
    Content-Length), range (wrong Content-Range), norange (byte ranges are ignored), 400 to 599 (that status), gone or
    gone@N (nobody is there, at once or after N requests). Saving a file is a deploy.
    """
    from sitegen import build as builder
    from sitegen import host as hosting
    from sitegen import serve as server

    reporter = report.choose(False)
    with _told(reporter):
        faults = [hosting.parse(spec) for spec in specs]
        opened = builder.Project.open(project)
    if faults:
        server.run_faulty(opened, reporter, host, port, base, faults)
    else:
        server.run(opened, reporter, host, port, base)


@cli.command()
@click.argument("output", required=False, type=click.Path(path_type=Path))
@_project
@click.option(
    "--browser", type=click.Choice(BROWSERS), default=BROWSERS[0], show_default=True, help="As Playwright calls it."
)
@click.option("--no-browser", is_flag=True, help="Look at the files alone, and open no page.")
@click.option("--page", help="Open this page only: its folder, or its path.")
@click.option("--seconds", type=click.FloatRange(1), default=120, show_default=True, help="For a page, each way.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def check(
    output: Path | None,
    project: Path,
    browser: str,
    no_browser: bool,
    page: str | None,
    seconds: float,
    as_json: bool,
) -> None:
    """Opens every page of the built site in OUTPUT (default: the project's) as visitors do, and runs its demo."""
    from sitegen import check as checker
    from sitegen import config

    reporter = report.choose(as_json)
    with _told(reporter):
        root = project.resolve()
        folder = output or root / config.load(root).output
        with reporter.working():
            checked = checker.check(
                folder,
                os.path.relpath(folder),
                reporter.progress,
                browser=None if no_browser else browser,
                page=page,
                seconds=seconds,
            )
    reporter.checked(checked)
    if checked.errors:
        sys.exit(max(error.kind.value for error in checked.errors))


_model = [
    click.argument("model"),
    click.option("--member", help="The model's path inside an archive that holds several."),
    click.option("--format", "format_", help="Overrides what the file itself says it is."),
    click.option("--signature", help="Which signature of a SavedModel."),
    click.option("--outputs", help="End the graph at these nodes (comma-separated)."),
]


def _of_a_model(command: Callable[..., None]) -> Callable[..., None]:
    """The argument and the options of commands that look at a model."""
    for decorate in reversed(_model):
        command = decorate(command)
    return command


def _asked(model: str, member: str | None, format_: str | None, signature: str | None, outputs: str | None) -> Asked:
    from sitegen.look import Asked

    names = tuple(name.strip() for name in outputs.split(",") if name.strip()) if outputs else ()
    return Asked(model, member, format_, signature, names)


@cli.command()
@_of_a_model
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of text.")
def inspect(
    model: str, member: str | None, format_: str | None, signature: str | None, outputs: str | None, as_json: bool
) -> None:
    """Says what MODEL, a path or an address, takes, gives, computes and weighs."""
    from sitegen import look, newpage

    reporter = report.choose(as_json)
    asked = _asked(model, member, format_, signature, outputs)
    with _told(reporter), reporter.working():
        found = look.look(asked, reporter.progress)
    reporter.inspected({**found, "front_matter": newpage.front_matter(found, asked.source, asked)})


@cli.command()
@click.argument("page", required=False)
@_project
@click.option("--as", "form", type=click.Choice(FORMS), required=True, help="A page, an archive, or an npm package.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="The file (default: the page's name, here).")
@click.option("--name", help="npm: the package's name, or @SCOPE/NAME (default: the page's).")
@click.option("--version", help=f"npm: the package's version (default: {FIRST_VERSION}).")
@click.option("--offline", is_flag=True, help="Open no connection: models behind addresses come from the cache.")
def export(
    page: str | None,
    project: Path,
    form: str,
    output: Path | None,
    name: str | None,
    version: str | None,
    offline: bool,
) -> None:
    """Makes one file of PAGE to hand on: its folder, its path or its source; without PAGE, of the whole site.

    html: a page that runs by double-click, with all that it needs in it. zip: a folder that opens by double-click on
    its index.html, after it was unpacked. npm: a package that runs the demo's model in Node, in bundlers and in pages.
    """
    from sitegen import build as builder
    from sitegen import export as exporter
    from sitegen.export.npm import names

    reporter = report.choose(False)
    with _told(reporter):
        if page is None and form != "zip":
            hint = f"sitegen export PAGE --as {form}, or --as zip"
            raise SitegenError(f"a whole site does not go into one {_ONE[form]}", hint=hint, kind=Kind.USAGE)
        if form != "npm" and (name, version) != (None, None):
            raise SitegenError("--name and --version are of npm packages", hint="--as npm", kind=Kind.USAGE)
        # What is wrong with these is known without the models.
        names.check(name, version)
        opened = builder.Project.open(project)
        with reporter.working():
            site = builder.make_site(opened, reporter.progress, jobs=_AT_ONCE, offline=offline)
            bundle = exporter.find(site, page) if page else None
            named = names.of_page(bundle, name, version) if bundle and form == "npm" else None
            target = output or exporter.called(bundle, opened.root.name, form, named)
            size = exporter.export(site, bundle, form, target, named)
    click.echo(f"{target}: {text.size(size)}")


@cli.group()
def deploy() -> None:
    """Publishes the site."""


@deploy.command("github-pages")
@_project
@click.option("--remote", default="origin", show_default=True, help="The git remote on GitHub.")
@click.option("--branch", default="gh-pages", show_default=True, help="The branch that holds the built site.")
@click.option("--offline", is_flag=True, help="Models behind addresses come from the cache.")
def github_pages(project: Path, remote: str, branch: str, offline: bool) -> None:
    """Builds the site, and pushes it to a branch that GitHub Pages serves.

    Once, in the repository's settings: Pages, Build and deployment, Deploy from a branch, and that branch.
    """
    from sitegen import build as builder
    from sitegen import deploy as deployer

    reporter = report.choose(False)
    with _told(reporter):
        opened = builder.Project.open(project)
        with reporter.working():
            site, _ = builder.build(opened, reporter.progress, jobs=_AT_ONCE, offline=offline, strict=True)
            reporter.progress(f"pushing {branch} to {remote}")
            done = deployer.deploy(opened.root, opened.output.root, site.files, remote, branch)
    click.echo(f"{done.branch}: {'pushed' if done.commit else 'it is there already'}, for {done.url}")


@cli.group()
def new() -> None:
    """Begins something new."""


@new.command("site")
@click.argument("folder", type=click.Path(path_type=Path))
def new_site(folder: Path) -> None:
    """Begins a project in FOLDER, with one demo that works."""
    from sitegen import newsite

    with _told(report.choose(False)):
        newsite.write(folder)
    click.echo(f"wrote {folder}: cd {folder} && sitegen serve")


@new.command()
@_of_a_model
@_project
def page(
    model: str, member: str | None, format_: str | None, signature: str | None, outputs: str | None, project: Path
) -> None:
    """Writes a page for MODEL, a path or an address, and puts the model beside it."""
    from sitegen import config, look, newpage

    reporter = report.choose(False)
    asked = _asked(model, member, format_, signature, outputs)
    with _told(reporter):
        content = config.load(project.resolve()).content
        with reporter.working():
            found = look.look(asked, reporter.progress)
        path, copied = newpage.write(found, asked, project.resolve(), content)
    beside = " (the model was copied beside it)" if copied else ""
    click.echo(f"wrote {os.path.relpath(path)}{beside}; now fill it in, and: sitegen serve")


@contextlib.contextmanager
def _told(reporter: report.Reporter) -> Iterator[None]:
    """Tells of everything that was wrong, and ends with its exit code."""
    try:
        yield
    except BuildFailed as failed:
        errors = failed.errors
    except SitegenError as error:
        errors = [error]
    else:
        return
    reporter.failed(errors)
    sys.exit(max(error.kind.value for error in errors))


def main() -> None:
    """The `sitegen` command: runs a verb and turns what goes wrong into an exit code."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(Kind.USAGE.value)
    except SitegenError as error:
        click.echo(str(error), err=True)
        sys.exit(error.kind.value)
    except Exception:
        import traceback

        traceback.print_exc()
        click.echo("this is a bug in sitegen; please report it with the lines above", err=True)
        sys.exit(Kind.BUG.value)
