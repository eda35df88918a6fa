"""Makes a Pyodide distribution of local files: the npm package together with wheels, for sites that use no CDN.

Runs in the environment of the examples, which has pyodide-lock. The function `make` starts it there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOLS = ROOT / ".cache" / "examples" / "bin"
WHEELS = ROOT / ".cache" / "wheels"
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")


def make(runtime: Path, out: Path) -> None:
    """Fills a folder with Pyodide from npm and with all wheels that set-up has downloaded."""
    subprocess.run([TOOLS / "python", __file__, runtime, out], check=True)


def main(runtime: Path, out: Path) -> None:
    from pyodide_lock import PyodideLockSpec
    from pyodide_lock.utils import add_wheels_to_spec

    out.mkdir(parents=True)
    for name in RUNTIME:
        shutil.copy(runtime / name, out)
    wheels = [Path(shutil.copy(wheel, out)) for wheel in WHEELS.glob("*.whl")]
    spec = PyodideLockSpec.from_json(runtime / "pyodide-lock.json")
    # These packages are on the CDN, but not in the npm package.
    spec.packages.clear()
    # pyodide-lock recognises wheels by an older platform tag, or by the one that the lock file names.
    system = spec.info.platform
    spec.info.platform = f"pyemscripten_{spec.info.abi_version}"
    spec = add_wheels_to_spec(spec, [wheel for wheel in wheels if "-none-any" not in wheel.name], base_path=out)
    spec.info.platform = system
    pure = [wheel for wheel in wheels if "-none-any" in wheel.name]
    spec = add_wheels_to_spec(spec, [*pure, pack_pyyaml(out)], base_path=out)
    spec.to_json(out / "pyodide-lock.json")


def pack_pyyaml(out: Path) -> Path:
    """Packs the installed PyYAML without its optional accelerator, which has no wheel for Pyodide."""
    installed = distribution("pyyaml")
    wheel = out / f"pyyaml-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in installed.files:
            if file.suffix == ".py" or file.parent.name.endswith(".dist-info"):
                archive.write(file.locate(), str(file))
    return wheel


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
