"""A demo as an npm package: a .tgz as `npm pack` writes it, which runs in Node, in bundlers and by a script element.

What is large lies in `parts/`, each a plain script with base64 in it (parts.py); index.mjs, index.cjs and global.js are
the task's script (runtime/src/package/) with the page's JSON, and differ in how they get the parts.
"""

from __future__ import annotations

import json

from sitegen import runtime
from sitegen.errors import Kind, SitegenError
from sitegen.export.npm import manifest, names, readme, tarball, types
from sitegen.export.npm.parts import Parts
from sitegen.records import Bundle, Site

is_ours = tarball.is_ours


def make(site: Site, bundle: Bundle | None, named: names.Named | None) -> bytes:
    """The package: the same bytes for the same site and name. Raises SitegenError for tasks that have no package."""
    assert bundle is not None
    named = named or names.of_page(bundle, None, None)
    compiled = runtime.load()
    own = compiled.index["packages"].get(bundle.config["task"])
    if own is None:
        what = f"pages with the task {bundle.config['task']} cannot be npm packages yet"
        raise SitegenError(what, hint="--as html and --as zip take any page", kind=Kind.USAGE)
    parts = Parts()
    demo = parts.demo(bundle)
    card = manifest.card(bundle, named)
    config = json.dumps({"demo": demo, "card": card}, separators=(",", ":"))
    script = compiled.read(own["script"]).read().decode().rstrip()
    declared = types.declared(compiled.read(own["types"]).read().decode(), bundle.config)
    licences = manifest.licences(bundle, site.files["licenses.txt"].read().decode())
    texts = {
        "package.json": json.dumps(manifest.package(bundle, named), indent=2, ensure_ascii=False) + "\n",
        "README.md": readme.text(bundle, card, parts.first_bytes),
        "licenses.txt": licences,
        "index.mjs": _module(script, config, parts),
        "index.cjs": _common(script, config, parts),
        "global.js": _global(script, config, parts, names.variable(named.name)),
        "index.d.mts": declared,
        "index.d.ts": declared,
        **parts.files,
    }
    return tarball.packed({name: text.encode() for name, text in texts.items()})


def _module(script: str, config: str, parts: Parts) -> str:
    loads = ",\n".join(f'"{name}":()=>import("./parts/{name}.js")' for name in parts.ids)
    return f"{script}\nexport const {{ load, card }} = sitegenPackage.make({config},{{\n{loads}\n}});\n"


def _common(script: str, config: str, parts: Parts) -> str:
    loads = ",\n".join(f'"{name}":()=>require("./parts/{name}.js")' for name in parts.ids)
    return f"{script}\nmodule.exports = sitegenPackage.make({config},{{\n{loads}\n}});\n"


def _global(script: str, config: str, parts: Parts, variable: str) -> str:
    # The script that is running is known while it runs, and no later.
    loads = f"sitegenPackage.beside(document.currentScript.src,{json.dumps(parts.ids)})"
    return f"(()=>{{{script}\nglobalThis.{variable} = sitegenPackage.make({config},{loads});\n}})();\n"
