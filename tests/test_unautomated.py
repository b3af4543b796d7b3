"""Firefox as people have it, by double-click: the preferences of automation would let file:// read its neighbours."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from pathlib import Path

from tests import digits
from tests.browsers import find

# A profile of its own that keeps quiet; and what pages tell the console is told to us.
_PREFERENCES = {
    "devtools.console.stdout.content": "true",
    "app.update.enabled": "false",
    "browser.shell.checkDefaultBrowser": "false",
    "datareporting.policy.dataSubmissionEnabled": "false",
    "toolkit.telemetry.enabled": "false",
}
# What a visitor would do and see. Every word of it is told once.
_VISITOR = """
addEventListener('load', async () => {
  const wait = () => new Promise((done) => setTimeout(done, 50));
  const neighbour = await fetch('../index.html').then(() => 'read', () => 'refused');
  const demo = document.querySelector('sitegen-demo');
  while (demo.dataset.state !== 'ready' && demo.dataset.state !== 'failed') await wait();
  const panel = document.querySelector('.sg-behind');
  panel.open = true;
  panel.querySelector(':scope > button').click();
  while (!['passed', 'failed', 'none'].includes(demo.dataset.proof)) await wait();
  document.querySelector('[data-source=samples]').click();
  while (!document.querySelector('[data-sample="4"] img')) await wait();
  document.querySelector('[data-sample="4"]').click();
  while (!document.querySelector('.sg-answer strong')) await wait();
  const answer = document.querySelector('.sg-answer strong').textContent;
  const { state, engine, backend, proof } = demo.dataset;
  console.log(`VISIT driven=${navigator.webdriver} neighbour=${neighbour} state=${state} engine=${engine} ` +
    `backend=${backend} proof=${proof} answer=${answer} END`);
});
"""


def test_firefox_by_double_click(output: Path, tmp_path: Path) -> None:
    site = tmp_path / "a stick" / "site"
    shutil.copytree(output, site)
    page = site / digits.PAGE
    (page.parent / "visitor.js").write_text(_VISITOR)
    page.write_text(page.read_text("utf-8").replace("</head>", '<script src="visitor.js"></script></head>'), "utf-8")
    assert "visitor.js" in page.read_text("utf-8")
    profile = tmp_path / "profile"
    profile.mkdir()
    lines = [f'user_pref("{name}", {value});' for name, value in _PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines))
    command = [find.firefox(), "--headless", "--no-remote", "--profile", str(profile), page.as_uri()]
    firefox = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = threading.Timer(120, firefox.kill)
    end.start()
    try:
        assert firefox.stdout is not None
        said = []
        for line in firefox.stdout:
            said.append(line)
            if " END" in line:
                break
        told = re.search(r"VISIT (.*) END", "".join(said))
        assert told, "".join(said)[-2000:]
        assert told[1] == (
            "driven=false neighbour=refused state=ready engine=plan backend=wasm-simd proof=passed answer=4"
        )
    finally:
        end.cancel()
        firefox.terminate()
        try:
            firefox.wait(10)
        except subprocess.TimeoutExpired:
            firefox.kill()
            firefox.wait()
