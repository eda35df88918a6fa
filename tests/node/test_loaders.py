"""Packages whose own files wrap their glue: they load as they are, with every rule of recovery."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.compat import rounds
from tests.compat.packages.loaders import PACKAGES
from tests.compat.test_packages import check

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from tests.compat.package import Package

TIMEOUT = 120
# What wraps the glue of rapier takes every argument but says of none that it may be left out.
NEEDS_OPTIONAL = {"@dimforge/rapier2d", "rapier3d-compat-0.21"}
SHORT = {"@webbuf/blake3", "cojson-core-wasm", "@hazae41/foras"}


def marked(package: Package):
    marks = [] if package.folder in SHORT else [pytest.mark.long]
    return pytest.param(package, id=package.folder, marks=marks)


@pytest.mark.parametrize("recovery", ["rollback", "reset"])
@pytest.mark.parametrize("package", [marked(package) for package in PACKAGES if package.folder not in NEEDS_OPTIONAL])
def test_package(py: InBrowser, package: Package, recovery: str):
    """A package gives its result, crashes, and gives the same result again."""
    measured = py.run(
        rounds.play,
        timeout=TIMEOUT,
        glue=f"{py.url}/compat/{package.folder}/{package.glue}",
        use=package.use,
        crash=package.crash,
        keep=package.keep or rounds.keep_nothing,
        ask=package.ask or rounds.ask_nothing,
        recovery=recovery,
    )
    check(package, measured, recovery, "node")
