"""WebKitGTK's MiniBrowser, driven by WebDriver through selenium, on a display of its own."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.actions.mouse_button import MouseButton
from selenium.webdriver.common.actions.pointer_input import PointerInput
from selenium.webdriver.webkitgtk.service import Service

from tests.browsers import find

_WITHIN = 60


class WebKitTab:
    """The one window: a second tab would lie behind it, where WebKit paints nothing and WebDriver waits for ever."""

    def __init__(self, driver: webdriver.WebKitGTK) -> None:
        self._driver = driver

    def goto(self, url: str) -> None:
        # From a page to itself with another #hash, WebKit does not reload.
        self._driver.get("about:blank")
        self._driver.get(url)

    def evaluate(self, expression: str) -> Any:
        value = self._driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            f"(async () => ({expression}))().then((v) => done({{ok: v}}), (e) => done({{error: String(e)}}))"
        )
        if "error" in value:
            raise RuntimeError(value["error"])
        return value["ok"]

    def drag(self, points: list[tuple[float, float]]) -> None:
        actions = ActionBuilder(self._driver, mouse=PointerInput("mouse", "mouse"), duration=60)
        pointer = actions.pointer_action
        pointer.move_to_location(round(points[0][0]), round(points[0][1]))
        pointer.pointer_down(MouseButton.LEFT)
        for x, y in points[1:]:
            pointer.move_to_location(round(x), round(y))
        pointer.pointer_up(MouseButton.LEFT)
        actions.perform()

    def screenshot(self, path: Path) -> None:
        self._driver.save_screenshot(str(path))

    def close(self) -> None:
        self._driver.get("about:blank")


class WebKit:
    """A MiniBrowser of its own."""

    name = "webkit"

    def __init__(self) -> None:
        browser, driver = find.webkit()
        self._home = tempfile.TemporaryDirectory(prefix="sitegen-webkit-", ignore_cleanup_errors=True)
        self._screen: subprocess.Popen[str] | None = None
        environment = {
            **os.environ,
            "HOME": self._home.name,
            "XDG_DATA_HOME": f"{self._home.name}/data",
            "XDG_CACHE_HOME": f"{self._home.name}/cache",
            "XDG_CONFIG_HOME": f"{self._home.name}/config",
            "LIBGL_ALWAYS_SOFTWARE": "1",
        }
        if os.geteuid() == 0:
            environment["WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS"] = "1"
        if "DISPLAY" not in environment:
            environment["DISPLAY"] = self._start_screen()
        options = webdriver.WebKitGTKOptions()
        options.binary_location = browser
        options.add_argument("--automation")
        try:
            self._driver = webdriver.WebKitGTK(options=options, service=Service(driver, env=environment))
        except BaseException:
            self._end_screen()
            raise
        self._driver.set_script_timeout(_WITHIN)
        self._driver.set_page_load_timeout(_WITHIN)
        self.version = str(self._driver.capabilities["browserVersion"])

    def _start_screen(self) -> str:
        reader, writer = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writer), "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
            pass_fds=[writer],
            stderr=subprocess.DEVNULL,
            text=True,
        )
        os.close(writer)
        with os.fdopen(reader) as said:
            return f":{said.readline().strip()}"

    def _end_screen(self) -> None:
        if self._screen:
            self._screen.terminate()
            self._screen.wait()

    def new_tab(self) -> WebKitTab:
        return WebKitTab(self._driver)

    def close(self) -> None:
        self._driver.quit()
        self._end_screen()
        self._home.cleanup()
