"""Each package has the right glue if it is loaded by its name alone."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.compat.package import NODE_MODULES
from tests.jsdelivr import FILES, Jsdelivr

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext
    from unpanic_tools.testing.in_browser import InBrowser

SCRIPT = Path(__file__).with_name("names.mjs")

# The glue of each package. Where there is no list of files, some have a wrapper around it, or another build.
GLUE = {
    "@astral-sh/ruff-wasm-web": "ruff_wasm.js",
    "@automerge/automerge": "dist/mjs/wasm_bindgen_output/web/automerge_wasm.js",
    "@automerge/automerge-wasm": "web/automerge_wasm.js",
    "@biomejs/wasm-web": "biome_wasm.js",
    "@cedar-policy/cedar-wasm": "web/cedar_wasm.js",
    "@citeproc-rs/wasm": "_web/citeproc_rs_wasm.js",
    "@contentauth/c2pa-wasm": "pkg/c2pa.js",
    "@css-inline/css-inline-wasm": "index.mjs",
    "@dimforge/rapier2d-compat": "dist/rapier_wasm2d.js",
    "@dimforge/rapier3d-compat": "rapier_wasm3d.js",
    "@gorules/zen-engine-wasm": "dist/zen_engine_wasm.js",
    "@guanmingchiu/sqlparser-ts": "wasm/sqlparser_rs_wasm.js",
    "@ironcalc/wasm": "wasm.js",
    "@janssenproject/cedarling_wasm": "cedarling_wasm.js",
    "@jsquash/oxipng": "codec/pkg/squoosh_oxipng.js",
    "@kreuzberg/html-to-markdown-wasm": "pkg/web/html_to_markdown_wasm.js",
    "@myriaddreamin/typst-ts-web-compiler": "pkg/typst_ts_web_compiler.mjs",
    "@nockbox/iris-wasm": "iris_wasm.js",
    "@resvg/resvg-wasm": "index.mjs",
    "@rometools/wasm-web": "rome_wasm.js",
    "@swc/wasm-web": "wasm.js",
    "@swc/wasm-web-2021": "wasm.js",
    "htmlrewriter": "dist/html_rewriter.js",
    "loro-crdt": "web/loro_wasm.js",
    "minijinja-js": "dist/web/minijinja_js.js",
    "oxigraph": "web.js",
    "oxigraph-0.3": "web.js",
    "parquet-wasm": "esm/parquet_wasm.js",
    "parquet-wasm-0.1": "web.js",
    "prql-js": "dist/web/prql_js.js",
    "taffy-layout": "pkg/taffy_wasm.js",
    # Other targets. Where a package has a build for the web as well, that one is taken.
    "@one-ini/wasm": "one_ini.js",
    "@oxc-parser/wasm": "web/oxc_parser_wasm.js",
    "@prisma/prisma-schema-wasm": "src/prisma_schema_build.js",
    "@rometools/wasm-bundler": "rome_wasm.js",
    "@silvia-odwyer/photon": "photon_rs.js",
    "@silvia-odwyer/photon-node": "photon_rs.js",
    "@swc/wasm": "wasm.js",
    "@swc/wasm-typescript": "wasm.js",
    "@typstyle/typstyle-wasm-bundler": "typstyle_wasm.js",
    "brotli-wasm": "pkg.web/brotli_wasm.js",
    "jieba-wasm": "pkg/web/jieba_rs_wasm.js",
    "lz4-wasm": "lz4_wasm.js",
    "lz4-wasm-nodejs": "lz4_wasm_nodejs.js",
    "mitex-wasm": "mitex_wasm.js",
    "mrml": "web/mrml_wasm.js",
    "pqc-kyber": "pqc_kyber.js",
    "rregex": "lib/esm.mjs",
    "simplecc-wasm": "pkg/web/simplecc_wasm.js",
    "tiktoken": "tiktoken.js",
    "voy-search": "voy_search.js",
    "wasm-xlsxwriter": "web/wasm_xlsxwriter.js",
    "ywasm": "ywasm.js",
}
WITHOUT_LIST = {
    "@automerge/automerge": "dist/mjs/entrypoints/fullfat_bundler.js",
    "@citeproc-rs/wasm": "_esm/citeproc_rs_wasm.js",
    "@dimforge/rapier2d-compat": "dist/rapier.mjs",
    "@dimforge/rapier3d-compat": "rapier.mjs",
    "@gorules/zen-engine-wasm": "index.js",
    "@guanmingchiu/sqlparser-ts": "dist/index.mjs",
    "@jsquash/oxipng": "index.js",
    "brotli-wasm": "index.web.js",
    "loro-crdt": "web/index.js",
    "taffy-layout": "dist/index.js",
}
SEVERAL = "@jsquash/resize"


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """The glue of each package by its list of files, and without one."""
    folders = {name: str(NODE_MODULES / name) for name in (*GLUE, SEVERAL)}
    run = subprocess.run(
        ["node", SCRIPT], input=json.dumps([*folders.values()]), capture_output=True, text=True, check=True
    )
    by_folder = json.loads(run.stdout)
    return {name: by_folder[folder] for name, folder in folders.items()}


@pytest.mark.parametrize("name", GLUE)
def test_a_package_has_this_glue(found: dict[str, list[str]], name: str):
    """The list of files leads to wasm-bindgen's glue, for the web if there is one. `package.json` alone mostly does."""
    assert found[name] == [GLUE[name], WITHOUT_LIST.get(name, GLUE[name])]
    assert all((NODE_MODULES / name / path).is_file() for path in found[name])


def test_a_package_with_several_modules_lists_them(found: dict[str, list[str]]):
    """Nothing tells which of three modules is meant."""
    error = found[SEVERAL][0]
    assert error.startswith("GlueError: npm:@jsquash/resize@2.1.1 has 3 files of glue. Load one of them: ")
    assert error.endswith("npm:@jsquash/resize@2.1.1/lib/resize.")


@pytest.fixture(scope="module")
def jsdelivr(context: BrowserContext) -> Iterator[Jsdelivr]:
    """JsDelivr has the packages of the suite, in all their versions."""
    jsdelivr = Jsdelivr(NODE_MODULES)
    with jsdelivr.served(context):
        yield jsdelivr


async def load_named(spec):
    """Loads a package, and returns the address of its glue, and how many exports it has."""
    import warnings

    import unpanic

    warnings.simplefilter("ignore")
    module = await unpanic.load(spec, recovery="reset")
    found = [module.__spec__.origin, len(dir(module))]
    unpanic.unload(module)
    return found


# Their glue is found in three ways: it is what `package.json` names, another build, and a file with another ending. The
# last two have none for the web.
FEW = ("prql-js", "@automerge/automerge-wasm", "@resvg/resvg-wasm", "voy-search", "@one-ini/wasm")


@pytest.mark.parametrize("folder", [pytest.param(name, marks=() if name in FEW else pytest.mark.long) for name in GLUE])
def test_a_package_loads_by_its_name(py: InBrowser, jsdelivr: Jsdelivr, folder: str):  # noqa: ARG001
    """Its name and version are all that `load` needs."""
    manifest = json.loads((NODE_MODULES / folder / "package.json").read_text("utf-8"))
    package = f"{manifest['name']}@{manifest['version']}"
    origin, count = py.run(load_named, spec=f"npm:{package}", timeout=120)
    assert origin == f"{FILES}{package}/{GLUE[folder]}"
    assert count > 0
