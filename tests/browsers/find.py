"""Finds the browsers of this machine, or has its package manager bring them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from sitegen.check.browser import INSTALLED

_MAC_CHROMIUM = "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
_MAC_FIREFOX = "/Applications/Firefox.app/Contents/MacOS/firefox"
_MINI_BROWSERS = ("usr/lib*/*/webkit2gtk-4.1/MiniBrowser", "usr/libexec/webkit2gtk-4.1/MiniBrowser")


def chromium() -> str:
    """Path of an installed Chromium, of Playwright's own, which is downloaded at need, or of apt's."""
    installed = _first(*INSTALLED, _MAC_CHROMIUM) or _playwrights()
    if installed is None:
        # Where it cannot be had, apt may still have one.
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], capture_output=True, timeout=600)
    return _found(lambda: _first(*INSTALLED, _MAC_CHROMIUM) or _playwrights(), ["chromium"], "Chromium")


def firefox() -> str:
    """Path of Firefox."""
    return _found(lambda: _first("firefox-esr", "firefox", _MAC_FIREFOX), ["firefox-esr"], "Firefox")


def webkit() -> tuple[str, str]:
    """Paths of WebKitGTK's MiniBrowser and of its driver; Xvfb is there too, unless there is a display."""
    packages = ["webkit2gtk-driver", "xvfb"]
    if not os.environ.get("DISPLAY"):
        _found(lambda: _first("Xvfb"), packages, "Xvfb")
    driver = _found(lambda: _first("WebKitWebDriver"), packages, "WebKitGTK's driver")
    return _found(_mini_browser, packages, "WebKitGTK's MiniBrowser"), driver


def _playwrights() -> str | None:
    """The Chromium that `playwright install chromium` has left, if there is one."""
    from tests.browsers.chromium import playwright

    path = playwright().chromium.executable_path
    return path if Path(path).exists() else None


def _mini_browser() -> str | None:
    return next((str(path) for pattern in _MINI_BROWSERS for path in sorted(Path("/").glob(pattern))), None)


def _first(*names: str) -> str | None:
    return next((found for name in names if (found := shutil.which(name))), None)


def _found(look: Callable[[], str | None], packages: list[str], what: str) -> str:
    found = look()
    if found is None:
        _install(packages)
        found = look()
    if found is None:
        raise RuntimeError(
            f"the tests need {what}, which is not installed: on Debian and Ubuntu, "
            f"sudo apt-get install {' '.join(packages)}"
        )
    return found


def _install(packages: list[str]) -> None:
    """By apt, where there is one and we may; one process at a time."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    with Path(tempfile.gettempdir(), "sitegen-tests-apt.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            done = subprocess.run(["apt-get", *command], env=environment, capture_output=True, text=True)
            if done.returncode:
                print(done.stdout[-2000:], done.stderr[-2000:], file=sys.stderr)
