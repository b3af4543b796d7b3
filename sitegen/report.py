"""What the command line shows: progress and results, for people on a terminal, for logs, and for machines."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, Protocol

import click

from sitegen import describe, loss, text
from sitegen.check.result import Checked, Opened
from sitegen.errors import SitegenError
from sitegen.records import Site


class Reporter(Protocol):
    """One way of telling people how a build goes."""

    def working(self) -> contextlib.AbstractContextManager[None]:
        """Shows that something is going on while the block runs."""

    def progress(self, message: str) -> None:
        """Says what is being done now."""

    def built(self, site: Site, output: str, written: bool, seconds: float) -> None:
        """Tells of a site that was built."""

    def checked(self, checked: Checked) -> None:
        """Tells of a built site that was looked at, and of everything that was wrong with it."""

    def inspected(self, found: Mapping[str, Any]) -> None:
        """Tells of a model that was looked at."""

    def failed(self, errors: list[SitegenError]) -> None:
        """Tells of everything that was wrong."""


def rows(site: Site) -> list[dict[str, Any]]:
    """One row a page: its path, source, and what its demo weighs (bytes)."""
    made = {bundle.page.path: bundle for bundle in site.bundles}
    table = []
    for page in site.pages:
        row: dict[str, Any] = {"page": page.path, "source": page.source, "task": None}
        if bundle := made.get(page.path):
            row |= {
                "task": bundle.config["task"],
                "quantize": bundle.packed.scheme,
                "parameters": bundle.packed.parameters,
                "weight_bytes_before": bundle.packed.float32_bytes,
                "weight_bytes": bundle.packed.weight_bytes,
                "bits_per_weight": loss.bits(bundle.packed),
                "layers": bundle.packed.layers,
                "chunks": len(bundle.chunks),
                "engine": bundle.packed.engine,
                "peak_bytes": bundle.packed.peak,
                "apart": bundle.packed.apart,
                "loss": bundle.packed.loss,
                "notes": list(bundle.packed.notes),
            }
        table.append(row)
    return table


class Lines:
    """Quiet lines on standard error, results on standard output: for pipes and logs."""

    def working(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()

    def progress(self, message: str) -> None:
        click.echo(message, err=True)

    def built(self, site: Site, output: str, written: bool, seconds: float) -> None:
        for warning in site.warnings:
            click.echo(f"warning: {warning}", err=True)
        for row in rows(site):
            if row["task"]:
                before, after = text.size(row["weight_bytes_before"]), text.size(row["weight_bytes"])
                click.echo(f"{row['page']}: {row['task']}, weights {before} -> {after} ({_stored(row)})")
                if row["loss"]:
                    click.echo(f"  lost: {loss.line(row['loss'])}")
                for note in row["notes"]:
                    click.echo(f"  note: {note}")
        click.echo(_summary(site, output, written, seconds))

    def checked(self, checked: Checked) -> None:
        for path, ways in checked.pages.items():
            told = ", ".join(f"{way} {opened.state}" for way, opened in ways.items())
            click.echo(f"{path}: {told}{_measured(ways)}")
        if checked.errors:
            self.failed(list(checked.errors))
        click.echo(_looked(checked))

    def inspected(self, found: Mapping[str, Any]) -> None:
        click.echo("\n".join(describe.lines(found)))

    def failed(self, errors: list[SitegenError]) -> None:
        for error in errors:
            click.echo(str(error), err=True)
        click.echo(text.plural(len(errors), "error"), err=True)


class Terminal(Lines):
    """A spinner while it works and a table at the end."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._status = self._console.status("building")

    @contextlib.contextmanager
    def working(self) -> Iterator[None]:
        with self._status:
            yield

    def progress(self, message: str) -> None:
        from rich.markup import escape

        self._status.update(escape(message))

    def built(self, site: Site, output: str, written: bool, seconds: float) -> None:
        from rich.console import Console
        from rich.table import Table

        table = Table("page", "task", "weights", "bits each", "quantize", box=None, pad_edge=False)
        for row in rows(site):
            weights = bits = ""
            if row["task"]:
                before, after = text.size(row["weight_bytes_before"]), text.size(row["weight_bytes"])
                weights, bits = f"{before} → {after}", _bits(row)
            table.add_row(row["page"], row["task"] or "", weights, bits, row.get("quantize", ""))
        console = Console(highlight=False)
        console.print(table)
        for warning in site.warnings:
            console.print(f"[yellow]warning:[/yellow] {_escaped(warning)}")
        for row in rows(site):
            if row.get("loss"):
                console.print(f"{row['page']}: lost: {loss.line(row['loss'])}", markup=False)
            for note in row.get("notes", []):
                console.print(f"{row['page']}: note: {note}", markup=False)
        console.print(_summary(site, output, written, seconds), markup=False)

    def checked(self, checked: Checked) -> None:
        from rich.console import Console
        from rich.table import Table

        console = Console(highlight=False)
        if checked.pages:
            ways = list(next(iter(checked.pages.values())))
            table = Table("page", *ways, "off by", "ms", box=None, pad_edge=False)
            for path, opened in checked.pages.items():
                table.add_row(_escaped(path), *(_STATES[opened[way].state] for way in ways), *_numbers(opened))
            console.print(table)
        if checked.errors:
            self.failed(list(checked.errors))
        console.print(_looked(checked), markup=False)

    def failed(self, errors: list[SitegenError]) -> None:
        for error in errors:
            head, *rest = str(error).splitlines()
            where, what = (str(error.where), head[len(str(error.where)) :]) if error.where else ("", head)
            self._console.print(f"[bold]{_escaped(where)}[/bold]{_escaped(what)}", soft_wrap=True)
            for line in rest:
                self._console.print(f"[dim]{_escaped(line)}[/dim]", soft_wrap=True)
        self._console.print(f"[red]{text.plural(len(errors), 'error')}[/red]")


class Json(Lines):
    """One JSON object on standard output, nothing else."""

    def progress(self, message: str) -> None:
        pass

    def built(self, site: Site, output: str, written: bool, seconds: float) -> None:
        result = {
            "ok": True,
            "output": output,
            "build": site.build,
            "written": written,
            "seconds": round(seconds, 3),
            "files": len(site.files),
            "bytes": sum(blob.size for blob in site.files.values()),
            "pages": rows(site),
            "warnings": list(site.warnings),
        }
        click.echo(json.dumps(result, indent=1))

    def checked(self, checked: Checked) -> None:
        result = {
            "ok": not checked.errors,
            "output": checked.output,
            "browser": checked.browser,
            "files": checked.files,
            "bytes": checked.bytes,
            "seconds": round(checked.seconds, 3),
            "pages": [
                {"page": path, "ways": {way: asdict(opened) for way, opened in ways.items()}}
                for path, ways in checked.pages.items()
            ],
            "errors": [error.as_json() for error in checked.errors],
        }
        click.echo(json.dumps(result, indent=1))

    def inspected(self, found: Mapping[str, Any]) -> None:
        click.echo(json.dumps({"ok": True, **found}, indent=1))

    def failed(self, errors: list[SitegenError]) -> None:
        result = {"ok": False, "errors": [error.as_json() for error in errors]}
        click.echo(json.dumps(result, indent=1))


def choose(as_json: bool) -> Reporter:
    """The reporter for where the output goes."""
    if as_json:
        return Json()
    return Terminal() if sys.stderr.isatty() and sys.stdout.isatty() else Lines()


def _stored(row: Mapping[str, Any]) -> str:
    bits = _bits(row)
    return f"{row['quantize']}, {bits} bits each" if bits else str(row["quantize"])


def _bits(row: Mapping[str, Any]) -> str:
    return "" if row["bits_per_weight"] is None else f"{row['bits_per_weight']:.1f}"


def _summary(site: Site, output: str, written: bool, seconds: float) -> str:
    total = text.size(sum(blob.size for blob in site.files.values()))
    what = f"{text.plural(len(site.pages), 'page')}, {text.plural(len(site.files), 'file')}, {total}"
    if not written:
        return f"{output}/ is up to date: {what} ({seconds:.1f} s)"
    return f"built {output}/: {what} ({seconds:.1f} s)"


_STATES = {"ok": "[green]ok[/green]", "failed": "[red]failed[/red]", "skipped": "–"}


def _numbers(ways: Mapping[str, Opened]) -> tuple[str, str]:
    """The largest difference from the golden numbers in any way, and the milliseconds of the slowest."""
    apart = [opened.apart for opened in ways.values() if opened.apart is not None]
    times = [opened.milliseconds for opened in ways.values() if opened.milliseconds is not None]
    return (f"{max(apart):.0e}" if apart else "", f"{max(times):.1f}" if times else "")


def _measured(ways: Mapping[str, Opened]) -> str:
    apart, milliseconds = _numbers(ways)
    return f"; {apart} off, {milliseconds} ms a run" if milliseconds else ""


def _looked(checked: Checked) -> str:
    what = f"{text.plural(checked.files, 'file')}, {text.size(checked.bytes)}"
    if checked.pages:
        what = f"{text.plural(len(checked.pages), 'page')} in {checked.browser}, {what}"
    how = "is not right" if checked.errors else "is right"
    return f"{checked.output}/ {how}: {what} ({checked.seconds:.1f} s)"


def _escaped(plain: str) -> str:
    from rich.markup import escape

    return escape(plain)
