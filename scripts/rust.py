"""Looks for what builds a crate for Wasm, or installs it: `python -m scripts.rust FOLDER-OF-A-CRATE look|install`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "py"))

from unpanic_tools.build.bindgen import find_bindgen, present_bindgen
from unpanic_tools.build.failure import BuildError
from unpanic_tools.build.toolchain import find_toolchain

from rust.build import DEBIAN_PACKAGES


def wanted_bindgen(crate: Path) -> str:
    """Returns the version of wasm-bindgen that a crate pins."""
    text = (crate / "Cargo.toml").read_text("utf-8")
    (version,) = re.findall(r'^wasm-bindgen = "=(.*)"$', text, re.MULTILINE)
    return str(version)


def has_toolchain(crate: Path) -> bool:
    try:
        find_toolchain(crate, unwind=False)
    except BuildError:
        return False
    return True


def install(crate: Path) -> None:
    """Installs Debian's toolchain if there is none, and wasm-bindgen into the cache of the tools.

    Raises:
        BuildError: something is missing all the same.
    """
    if not has_toolchain(crate) and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["install", "-y", "--no-install-recommends", *DEBIAN_PACKAGES.split()]
        for command in (["update"], packages):
            subprocess.run(["apt-get", "-qq", *command], env=environment, stdout=subprocess.DEVNULL)
    find_toolchain(crate, unwind=False)
    find_bindgen(wanted_bindgen(crate))


def main(folder: str, what: str) -> int:
    crate = Path(folder)
    if what == "look":
        return 0 if has_toolchain(crate) and present_bindgen(wanted_bindgen(crate)) else 1
    try:
        install(crate)
    except BuildError as error:
        print(f"set-up: no crate can be built here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
