"""Writes the table of docs/compatibility.md, with the measurements of a run, in Markdown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.compat.package import Package

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
BEGIN, END = "<!-- compatibility: begin -->\n", "<!-- compatibility: end -->\n"
HEAD = ["package", "version", "glue: year (wasm-bindgen) and form", "MB", "adapter", "crash", "rollback", "reset"]
REALMS = ("page", "worker")
# The values of `load(…, recovery=)` that have a column each.
RECOVERIES = ("rollback", "reset")


class Results:
    """The measurements of the tests: the adapter and the outcome for each package, realm and recovery."""

    def __init__(self) -> None:
        self._measured: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}

    def add(self, package: Package, realm: str, recovery: str, adapter: str, outcome: str) -> None:
        self._measured.setdefault(package.folder, {})[realm, recovery] = (adapter, outcome)

    def lines(self, packages: list[Package]) -> list[str]:
        """Returns a line for each package that was measured in both realms, the oldest glue first."""
        count = len(REALMS) * len(RECOVERIES)
        complete = [package for package in packages if len(self._measured.get(package.folder, {})) == count]
        return [self._line(package) for package in sorted(complete, key=by_age)]

    def _line(self, package: Package) -> str:
        manifest = package.manifest()
        measured = self._measured[package.folder]
        adapter = next((name for name, _ in measured.values() if name), "")
        crash = f"{package.how}: {' or '.join(f'`{name}`' for name in package.raises)}"
        outcomes = [both({realm: measured[realm, recovery][1] for realm in REALMS}) for recovery in RECOVERIES]
        size = f"{package.megabytes():.2f}"
        return row(f"`{manifest['name']}`", manifest["version"], package.vintage(), size, adapter, crash, *outcomes)


def both(outcomes: dict[str, str]) -> str:
    """Returns what happened on the page and in the worker, once if it is the same."""
    distinct = set(outcomes.values())
    return distinct.pop() if len(distinct) == 1 else "; ".join(f"{realm}: {text}" for realm, text in outcomes.items())


def by_age(package: Package) -> tuple[list[int], str]:
    return [int(part) for part in package.bindgen().split(".")], package.folder


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def written() -> list[str]:
    """Returns the lines below the head of the table on the page."""
    return section().splitlines()[2:]


def section() -> str:
    text = PAGE.read_text("utf-8")
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def write(lines: list[str]) -> None:
    text = PAGE.read_text("utf-8")
    table = "\n".join([row(*HEAD), row(*["---"] * len(HEAD)), *lines]) + "\n"
    PAGE.write_text(text.replace(BEGIN + section() + END, BEGIN + table + END), "utf-8")
