"""The page "From your crate" works as written, if a Rust toolchain for Wasm is installed: `make crate`."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path

import pytest
from unpanic_tools.build import BuildError
from unpanic_tools.build.bindgen import present_bindgen
from unpanic_tools.build.toolchain import find_toolchain

from scripts.serve import ROOT
from tests.examples.literal import PLACES, Reader
from tests.tools.building import install_tools


@pytest.fixture(scope="module")
def rust() -> dict[str, str]:
    """The environment in which `cargo` builds for Wasm, and `wasm-bindgen` has the page's version."""
    try:
        toolchain = find_toolchain(ROOT, unwind=False)
    except BuildError as error:
        pytest.skip(f"no toolchain for Wasm: {error}")
    (version,) = re.findall(r'wasm-bindgen = "=(\S+)"', (PLACES / "crate.md").read_text("utf-8"))
    command = present_bindgen(version)
    if not command:
        pytest.skip(f"no wasm-bindgen {version} here, and to build it takes minutes")
    std = {"CARGO_UNSTABLE_BUILD_STD": "std,panic_abort"} if toolchain.builds_std else {}
    path = f"{Path(command).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, **toolchain.environment, **std, "CARGO": toolchain.cargo[0]}


def test_from_your_crate(tmp_path: Path, rust: dict[str, str]):
    """Each step of the page works on the result of the step before, from an empty folder to an imported wheel."""
    reader = Reader(tmp_path, "crate").write_files()
    shutil.copytree(ROOT / "rust/unpanic", reader.folder / "unpanic")
    node = Reader(reader.folder / "node", "node")
    (reader.folder / "main.mjs").write_text(node.files()["main.mjs"])
    reader.replace_command("rustup")
    reader.replace_command("cargo", f'[ "$1" = install ] || exec {rust["CARGO"]} "$@"')
    # The tools come from dist/, and hatchling from this Python.
    reader.replace_command("pip", f'exec {sys.executable} -m pip "$@" --no-build-isolation')
    tools = install_tools(tmp_path / "tools")
    path = os.pathsep.join([str(reader.shims), rust["PATH"], reader.environment["PATH"]])
    reader.environment |= {**rust, "PATH": path, "PYTHONPATH": str(tools)}
    for command in reader.commands():
        reader.run(command)
    reader.run(node.commands()[0])
    by_hand = reader.output[-1:]
    assert reader.run("node main.mjs").splitlines()[-1:] == by_hand
    (reader.folder / "use.py").rename(reader.folder / "main.py")
    assert reader.run("node main.mjs").splitlines()[-4:] == reader.output[:4]
