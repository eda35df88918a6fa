"""Projects with a Rust crate, built as their users build them, and run in Pyodide under Node."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from unpanic_tools.build.bindgen import present_bindgen
from unpanic_tools.build.failure import BuildError
from unpanic_tools.build.toolchain import find_toolchain
from unpanic_tools.caching import cache_folder

from scripts import wheel
from scripts.serve import FOLDERS, ROOT
from tests.places import PYODIDES

CRATE = Path(__file__).with_name("crate")
SMALL = Path(__file__).with_name("small")
# One folder for all: the standard library is compiled once on a machine, also for builds of source distributions.
TARGET = cache_folder() / "target/exact"
PYODIDE = ROOT / FOLDERS[PYODIDES["314"]]
TABLE = "[tool.hatch.build.hooks.unpanic]\n"


@dataclass
class Project:
    """A project with a crate.

    Attributes:
        folder: where it is.
        tools: the folder in which unpanic and its tools are installed.
        target: where cargo builds; projects that share it need not compile the standard library again.
    """

    folder: Path
    tools: Path
    target: Path = TARGET
    environment: dict[str, str] = field(default_factory=dict)

    @classmethod
    def copy(cls, folder: Path, tools: Path, options: str = "", source: Path = CRATE) -> Project:
        """A copy of a test crate; `options` are lines for the table of the hook."""
        shutil.copytree(source, folder)
        project = cls(folder, tools)
        if options:
            project.write("pyproject.toml", project.read("pyproject.toml").replace(TABLE, TABLE + options + "\n"))
        return project

    def read(self, name: str) -> str:
        return (self.folder / name).read_text("utf-8")

    def write(self, name: str, text: str) -> None:
        place = self.folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(textwrap.dedent(text), "utf-8")

    def try_to_build(self, source: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Runs `pip wheel`, which writes into `wheels`; the source is that of the project, or a distribution of it."""
        shutil.rmtree(self.folder.parent / "wheels", ignore_errors=True)
        command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-v"]
        return subprocess.run(
            [*command, "--wheel-dir", self.folder.parent / "wheels", source or self.folder],
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )

    def variables(self) -> dict[str, str]:
        """Returns the environment of a build."""
        own = {
            "PYTHONPATH": str(self.tools),
            "CARGO_TARGET_DIR": str(self.target),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }
        return {**os.environ, **own, **self.environment}

    def build(self, source: Path | None = None) -> Path:
        """Builds the wheel and returns it."""
        done = self.try_to_build(source)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        (built,) = (self.folder.parent / "wheels").glob("*.whl")
        return built

    def package(self, module: str) -> Path:
        """The folder in which the package of a module is made."""
        return self.target / "unpanic" / module


def need_rust(crate: Path) -> None:
    """Skips tests where no crate can be built within seconds; set-up installs what it takes, if it can."""
    try:
        find_toolchain(crate, unwind=False)
    except BuildError as error:
        pytest.skip(f"no toolchain for Wasm: {error}")
    (version,) = re.findall(r'^wasm-bindgen = "=(.*)"$', (crate / "Cargo.toml").read_text("utf-8"), re.MULTILINE)
    if not present_bindgen(version):
        pytest.skip(f"no wasm-bindgen {version} here, and to build it takes minutes")


def contents(path: Path) -> dict[str, bytes]:
    """Returns the files of a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def install_tools(target: Path) -> Path:
    """Installs unpanic and its tools from dist/ into a folder, and returns the folder."""
    wheels = [wheel.built("unpanic"), wheel.built("unpanic_tools")]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target]
    subprocess.run([*command, *wheels], check=True)
    return target


def run_in_pyodide(code: str, *wheels: Path) -> dict:
    """Runs code in Pyodide under Node, where unpanic and wheels are installed; returns its `answer`."""
    file = wheels[0].with_suffix(".py")
    file.write_text(f"{textwrap.dedent(code)}\nimport json\nprint('answer:', json.dumps(answer))\n", "utf-8")
    command = ["node", Path(__file__).with_name("run.mjs"), PYODIDE, file, wheel.built("unpanic"), *wheels]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout.partition("answer:")[2])


def run_on_desktop(code: str, tools: Path, *wheels: Path) -> subprocess.CompletedProcess[str]:
    """Runs code in this Python, where unpanic, its tools and wheels are installed."""
    site = wheels[0].parent / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", site]
    subprocess.run([*command, "--upgrade", *wheels], check=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(tools)])}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], env=environment, capture_output=True, text=True, check=False
    )
