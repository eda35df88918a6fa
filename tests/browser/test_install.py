"""micropip installs unpanic's wheel into a page, and leaves out the tools for a desktop."""

from __future__ import annotations

from pathlib import Path

import pytest

WHEELS = Path(__file__).parents[2] / ".cache" / "wheels"
INSTALLER = ["micropip", "packaging"]


async def install_with_micropip(installer, wheel):
    import importlib
    import shutil
    from importlib.metadata import distribution

    from pyodide.http import pyfetch

    for file in installer:
        await (await pyfetch(f"/wheels/{file}")).unpack_archive(format="wheel")
    # The harness has already unpacked unpanic, and micropip must not know this.
    shutil.rmtree(distribution("unpanic")._path)
    importlib.invalidate_caches()

    import micropip

    await micropip.install(wheel)
    names = set(micropip.list())
    return sorted(names & {"unpanic", "unpanic-tools"})


@pytest.mark.parametrize("realm", ["page"])
def test_micropip_leaves_out_the_tools(fresh_py, wheel):
    """The dependency on unpanic-tools does not apply in Pyodide, so micropip asks no index for it."""
    installer = [next(WHEELS.glob(f"{name}-*.whl")).name for name in INSTALLER]
    assert fresh_py.run(install_with_micropip, installer=installer, wheel=wheel, timeout=120) == ["unpanic"]
