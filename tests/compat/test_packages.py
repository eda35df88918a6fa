"""Unmodified packages from npm crash through their public API, and work again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.compat import rounds
from tests.compat.catalogue import PACKAGES
from tests.compat.table import RECOVERIES

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from tests.compat.package import Package
    from tests.compat.table import Results

# The largest packages are compiled and started several times.
TIMEOUT = 120
# What ends a crash without a new instance.
KEEPING = ("rollback", "unwind")
EACH = [pytest.param(package, marks=[pytest.mark.long] if package.takes_long else ()) for package in PACKAGES]


@pytest.mark.parametrize("recovery", RECOVERIES)
@pytest.mark.parametrize("package", EACH, ids=lambda package: package.folder)
def test_package(package: Package, py: InBrowser, results: Results, recovery: str):
    """A package returns a correct result, crashes, and returns the same result again, in three rounds.

    A crash that is rolled back also leaves the objects valid that were made before, and every byte of the memory as it
    was. A reset makes a new instance.
    """
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
            recovery=recovery,
        )
        adapter = measured.get("adapter", "")
        if "load_error" in measured:
            outcome = f"`{measured['load_error']}`"
        check(package, measured, recovery, py.realm)
        outcome = outcome_of(measured)
    finally:
        results.add(package, py.realm, recovery, adapter, outcome)


def outcome_of(measured: dict[str, Any]) -> str:
    """Returns the outcome of a successful run, in the words of the table."""
    recoveries = {played["recovery"] for played in measured["rounds"]}
    return f"{' and '.join(sorted(recoveries))}, {len(measured['rounds'])} of {rounds.ROUNDS}"


def check(package: Package, measured: dict[str, Any], recovery: str, realm: str) -> None:
    assert "load_error" not in measured, measured["message"]
    assert measured["target"] == package.target
    assert measured["recovery"] == recovery, measured["why"]
    assert measured["first"] == package.gives
    assert len(measured["rounds"]) == rounds.ROUNDS
    expected = "reset" if package.grows_table and realm == "page" else recovery
    for played in measured["rounds"]:
        assert played["raised"] in package.raises, played["message"]
        assert played["recovery"] in (expected, "unwind")
        is_kept = played["recovery"] in KEEPING
        assert (played["state_kept"], played["generations"]) == (is_kept, 0 if is_kept else 1)
        assert played["again"] == package.gives
        first, last = package.answers
        assert tuple(played["answers"]) == (first, first if recovery == "rollback" else last)
