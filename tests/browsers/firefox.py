"""Firefox, driven by WebDriver BiDi (W3C) over its websocket."""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.browsers import find

_PREFERENCES = {
    # Automation would let file:// pages read their neighbours, and hide bugs by it.
    "remote.prefs.recommended": False,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "toolkit.telemetry.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "datareporting.policy.firstRunURL": "",
}
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")
_ANSWER_WITHIN = 120


class FirefoxTab:
    """A tab, which BiDi calls a browsing context."""

    def __init__(self, browser: Firefox, context: str) -> None:
        self._browser = browser
        self._context = context

    def goto(self, url: str) -> None:
        self._browser.command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        result = self._browser.command(
            "script.evaluate",
            # Values come back typed; JSON is plainer.
            expression=f"Promise.resolve({expression}).then((value) => JSON.stringify(value) ?? 'null')",
            target={"context": self._context},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise RuntimeError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def drag(self, points: list[tuple[float, float]]) -> None:
        (x, y), *others = points
        steps: list[dict[str, Any]] = [
            {"type": "pointerMove", "x": round(x), "y": round(y)},
            {"type": "pointerDown", "button": 0},
        ]
        steps += [{"type": "pointerMove", "x": round(x), "y": round(y), "duration": 60} for x, y in others]
        steps.append({"type": "pointerUp", "button": 0})
        pointer = {"type": "pointer", "id": "mouse", "actions": steps}
        self._browser.command("input.performActions", context=self._context, actions=[pointer])

    def screenshot(self, path: Path) -> None:
        shot = self._browser.command("browsingContext.captureScreenshot", context=self._context)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        self._browser.command("browsingContext.close", context=self._context)


class Firefox:
    """A headless Firefox of its own."""

    name = "firefox"

    def __init__(self) -> None:
        executable = find.firefox()
        self._profile = tempfile.TemporaryDirectory(prefix="sitegen-firefox-", ignore_cleanup_errors=True)
        lines = [f'user_pref("{name}", {_literal(value)});' for name, value in _PREFERENCES.items()]
        Path(self._profile.name, "user.js").write_text("\n".join(lines))
        self._process = subprocess.Popen(
            [executable, "--headless", "--no-remote", "--profile", self._profile.name, "--remote-debugging-port=0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._ids = itertools.count(1)
        self._socket = connect(f"{self._address()}/session", max_size=None, ping_interval=None).__enter__()
        self.version = self.command("session.new", capabilities={})["capabilities"]["browserVersion"]

    def _address(self) -> str:
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if found := _LISTENING.search(line):
                # Whoever does not read what it says blocks it in the end.
                threading.Thread(target=self._process.stderr.read, daemon=True).start()
                return found[1]
        raise RuntimeError(f"Firefox did not start: {''.join(said)[-1000:]}")

    def command(self, method: str, **parameters: Any) -> Any:
        """Sends a BiDi command and gives its result; raises RuntimeError when it fails."""
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            reply = json.loads(self._socket.recv(timeout=_ANSWER_WITHIN))
            if reply.get("id") != number:
                continue
            if "result" not in reply:
                raise RuntimeError(f"{method}: {reply.get('error')}: {reply.get('message')}")
            return reply["result"]

    def new_tab(self) -> FirefoxTab:
        return FirefoxTab(self, self.command("browsingContext.create", type="tab")["context"])

    def close(self) -> None:
        self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._profile.cleanup()


def _literal(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else f'"{value}"'
