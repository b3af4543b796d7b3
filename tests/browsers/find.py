"""Where the browsers are; one that is missing is an error that says what to install.

STAND-IN: the original of this file was overwritten by mistake on 2026-11-24 at 17:05:38 and this was rewritten from how
its users call it; it does not install anything. Restore the original where it is at hand.
"""

from __future__ import annotations

import os
import shutil
from glob import glob


def chromium() -> str:
    return _find("SITEGEN_CHROMIUM", ["chromium", "google-chrome", "chromium-browser"], [], "chromium")


def firefox() -> str:
    return _find("SITEGEN_FIREFOX", ["firefox-esr", "firefox"], [], "firefox-esr")


def webkit() -> tuple[str, str]:
    """MiniBrowser and WebKitWebDriver."""
    places = [f"/usr/{folder}/webkit2gtk-{api}/MiniBrowser" for api in ("4.1", "4.0") for folder in ("lib/*", "libexec")]
    return (
        _find("SITEGEN_MINIBROWSER", [], places, "webkit2gtk-driver"),
        _find("SITEGEN_WEBKIT_DRIVER", ["WebKitWebDriver"], [], "webkit2gtk-driver"),
    )


def _find(variable: str, commands: list[str], places: list[str], package: str) -> str:
    chosen = os.environ.get(variable)
    if chosen:
        return chosen
    for command in commands:
        path = shutil.which(command)
        if path:
            return path
    for place in places:
        for path in glob(place):
            return path
    raise RuntimeError(f"not found: install `{package}`, or name the path in {variable}")
