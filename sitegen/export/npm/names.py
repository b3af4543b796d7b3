"""What npm takes for the name and the version of a package."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from sitegen.errors import Kind, SitegenError
from sitegen.records import Bundle

FIRST_VERSION = "0.1.0"
_LONGEST = 214
_LONGEST_VERSION = 256
_PART = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Names that npm keeps, and modules of Node's own, which `require` would take in their place.
_KEPT = ("node_modules", "favicon.ico")
_NODES_OWN = re.compile(
    r"assert|async_hooks|buffer|child_process|cluster|console|constants|crypto|dgram|diagnostics_channel|dns|"
    r"domain|events|fs|http|http2|https|inspector|module|net|os|path|perf_hooks|process|punycode|querystring|"
    r"readline|repl|stream|string_decoder|sys|timers|tls|trace_events|tty|url|util|v8|vm|wasi|worker_threads|zlib"
)
# semver.org, of version 2.0.0.
_NUMBER = r"(?:0|[1-9]\d*)"
_IDENTIFIER = r"(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
_SEMVER = re.compile(
    rf"{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-{_IDENTIFIER}(?:\.{_IDENTIFIER})*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)


@dataclass(frozen=True)
class Named:
    """A package's name and version, which npm takes."""

    name: str
    version: str

    @property
    def file(self) -> str:
        """What `npm pack` calls it."""
        return f"{self.name.removeprefix('@').replace('/', '-')}-{self.version}.tgz"


def check(name: str | None, version: str | None) -> None:
    """Raises SitegenError where npm would not take the name, or the version; what is None is not said."""
    flaw = name_flaw(name) if name is not None else None
    if name is not None and flaw:
        near = nearest(name)
        hint = f'perhaps "{near}"' if near else "lower case letters, digits, and - . _ between them"
        raise SitegenError(f'"{name}" is no name of an npm package: {flaw}', hint=hint, kind=Kind.USAGE)
    if version is not None and not (len(version) <= _LONGEST_VERSION and _SEMVER.fullmatch(version)):
        what = f'"{version}" is no version of an npm package'
        raise SitegenError(what, hint=f'perhaps "{_nearest_version(version)}"', kind=Kind.USAGE)


def of_page(bundle: Bundle, name: str | None, version: str | None) -> Named:
    """What is said, or else what the page's own name makes. Raises SitegenError where that makes none."""
    check(name, version)
    slug = bundle.page.path.removesuffix("/index.html").rpartition("/")[2]
    chosen = name if name is not None else nearest(slug)
    if chosen is None:
        what = f'the name of the page, "{slug}", makes no name of an npm package'
        raise SitegenError(what, hint="say one: --name NAME, or --name @SCOPE/NAME", kind=Kind.USAGE)
    return Named(chosen, version or FIRST_VERSION)


def name_flaw(name: str) -> str | None:
    """Why npm would not take a name for a new package; None where it would."""
    scope, slash, last = name.rpartition("/") if name.startswith("@") else ("", "", name)
    if not last or (slash and scope == "@"):
        return "it is empty"
    if name.startswith("@") and not slash:
        return "a scope is followed by / and a name"
    if len(name) > _LONGEST:
        return f"it has {len(name)} characters, and npm takes {_LONGEST}"
    for part in (scope.removeprefix("@"), last) if slash else (last,):
        if part != part.lower():
            return "it has capitals"
        if part[:1] in (".", "_", "-"):
            return f"it begins with a {part[0]}"
        if not _PART.fullmatch(part):
            sign = re.sub(r"[a-z0-9._-]", "", part)[0]
            return f'it has a "{sign}"'
    if last in _KEPT:
        return "npm keeps it"
    if not slash and _NODES_OWN.fullmatch(last):
        return "Node has a module of that name"
    return None


def nearest(name: str) -> str | None:
    """A name that npm takes, made of another; None where nothing of that remains."""
    scope, slash, last = name.rpartition("/") if name.startswith("@") else ("", "", name)
    parts = [_plain(part) for part in ((scope, last) if slash else (last,))]
    made = "/".join([f"@{parts[0]}", parts[1]] if slash and parts[0] else parts[-1:])[:_LONGEST].rstrip("-._/")
    if made in _KEPT or _NODES_OWN.fullmatch(made):
        made += "-model"
    return made if parts[-1] and name_flaw(made) is None else None


def variable(name: str) -> str:
    """The global of a script element: "@lab/hand-digits" is `handDigitsModel`, which no browser has by itself."""
    first, *others = re.findall(r"[a-z0-9]+", name.rpartition("/")[2])
    made = first + "".join(part.capitalize() for part in others) + "Model"
    return f"_{made}" if made[0].isdigit() else made


def _plain(part: str) -> str:
    letters = unicodedata.normalize("NFKD", part.casefold())
    ascii_ = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"-{2,}", "-", re.sub(r"[^a-z0-9._-]+", "-", ascii_)).strip("-._")


def _nearest_version(version: str) -> str:
    numbers = [str(int(number)) for number in re.findall(r"\d+", version, re.ASCII)[:3]]
    return ".".join(numbers + ["0"] * (3 - len(numbers))) if numbers else FIRST_VERSION
