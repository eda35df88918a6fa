"""Unmodified packages from npm crash through their public API, and work again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.compat import rounds
from tests.compat.catalogue import PACKAGES

if TYPE_CHECKING:
    from tests.compat.package import Package
    from tests.compat.table import Results
    from tests.harness import Py

# The largest packages are compiled and started several times.
TIMEOUT = 120


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.folder)
def test_package(package: Package, py: Py, results: Results):
    """A package returns a correct result, crashes, and returns the same result again, in three rounds."""
    adapter, outcome = "", "failed"
    try:
        measured = py.run(
            rounds.play,
            timeout=TIMEOUT,
            glue=f"/compat/{package.folder}/{package.glue}",
            use=package.use,
            crash=package.crash,
            keep=package.keep or rounds.keep_nothing,
            ask=package.ask or rounds.ask_nothing,
        )
        adapter = measured.get("adapter", "")
        if "load_error" in measured:
            outcome = f"`{measured['load_error']}`"
        check(package, measured)
        outcome = outcome_of(measured)
    finally:
        results.add(package, py.realm, adapter, outcome)


def outcome_of(measured: dict[str, Any]) -> str:
    """Returns the outcome of a successful run, in the words of the table."""
    recoveries = {played["recovery"] for played in measured["rounds"]}
    return f"{' and '.join(sorted(recoveries))}, {len(measured['rounds'])} of {rounds.ROUNDS}"


def check(package: Package, measured: dict[str, Any]) -> None:
    assert "load_error" not in measured, measured["message"]
    assert measured["first"] == package.gives
    assert len(measured["rounds"]) == rounds.ROUNDS
    for played in measured["rounds"]:
        assert played["raised"] in package.raises, played["message"]
        assert played["generations"] == (0 if played["recovery"] == "unwind" else 1)
        assert played["again"] == package.gives
        assert tuple(played["answers"]) == package.answers
