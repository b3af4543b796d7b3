"""Pure parts of the pages' scripts, under Node."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from sitegen.runtime.node import executable
from tests.conftest import REPOSITORY

SOURCE = REPOSITORY / "sitegen/runtime/src"
_PROGRAM = """
  import { readFileSync, writeFileSync } from 'node:fs';
  import { build } from 'esbuild';
  const [entry] = process.argv.slice(2);
  const made = await build({ entryPoints: [entry], bundle: true, format: 'esm', write: false });
  const script = await import(
    'data:text/javascript;base64,' + Buffer.from(made.outputFiles[0].contents).toString('base64'));
  const call = new Function('script', 'given', 'files', %s);
  const result = await call(script, JSON.parse(readFileSync(0, 'utf8')), { readFileSync, writeFileSync });
  console.log(JSON.stringify(result ?? null));
"""


def call(entry: str, body: str, given: Any) -> Any:
    """What a function with the body `body` returns, of `script` (the module src/`entry`), `given` and `files` (fs)."""
    done = subprocess.run(
        [executable(), "--input-type=module", "-e", _PROGRAM % json.dumps(body), "-", str(SOURCE / entry)],
        input=json.dumps(given),
        cwd=SOURCE.parent,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)
