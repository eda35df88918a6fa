"""Writes the tables of docs/compatibility.md, with the measurements of a run, in Markdown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.compat.package import NODE_MODULES
from tests.compat.rounds import ROUNDS

if TYPE_CHECKING:
    from tests.compat.package import Package

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
# Between these marks is a table. Its first row is the head.
MARKS = "<!-- {0}: begin -->\n", "<!-- {0}: end -->\n"
PACKAGES, STATES = "compatibility", "states"
HEAD = ["package", "version", "target", "glue: year (wasm-bindgen) and form", "MB", "adapter", "crash"]
HEAD += ["rollback", "reset"]
STATES_HEAD = ["package", "version", "what it keeps", "its crashes, each in three rounds", "the state was kept"]
# The targets of wasm-bindgen, in the order of the table.
TARGETS = ("web", "bundler", "nodejs", "deno", "no-modules", "experimental-nodejs-module", "module")
REALMS = ("page", "worker")
# The values of `load(…, recovery=)` that have a column each.
RECOVERIES = ("rollback", "reset")


@dataclass(frozen=True)
class Stateful:
    """A package that keeps a state.

    Attributes:
        folder: its folder in node_modules: its name, or the alias that tells two versions apart.
        glue: the glue, below that folder.
        state: what it keeps, in the words of the table.
    """

    folder: str
    glue: str
    state: str

    @property
    def name(self) -> str:
        return str(self.manifest()["name"])

    def version(self) -> str:
        return str(self.manifest()["version"])

    def manifest(self) -> dict[str, Any]:
        return json.loads((NODE_MODULES / self.folder / "package.json").read_text())


class Results:
    """The measurements of the tests: the adapter and the outcome for each package, realm and recovery."""

    def __init__(self) -> None:
        self._measured: dict[str, dict[tuple[str, str], tuple[str, str]]] = {}
        self._states: dict[Stateful, dict[tuple[str, str], tuple[str, int]]] = {}

    def add(self, package: Package, realm: str, recovery: str, adapter: str, outcome: str) -> None:
        self._measured.setdefault(package.folder, {})[realm, recovery] = (adapter, outcome)

    def lines(self, packages: list[Package]) -> list[str]:
        """Returns a line for each package that was measured in both realms: by target, the oldest glue first."""
        count = len(REALMS) * len(RECOVERIES)
        complete = [package for package in packages if len(self._measured.get(package.folder, {})) == count]
        return [self._line(package) for package in sorted(complete, key=by_target_and_age)]

    def add_state(self, package: Stateful, crash: str, realm: str, raised: str, kept: int) -> None:
        """Notes the exception of a crash, and in how many of three rounds the state was the same after it."""
        self._states.setdefault(package, {})[crash, realm] = (raised, kept)

    def state_lines(self, crashes: list[tuple[Stateful, str]]) -> list[str]:
        """Returns a line for each package of which all crashes were measured in both realms."""
        lines = []
        for package in dict.fromkeys(package for package, _ in crashes):
            measured = self._states.get(package, {})
            wanted = [(crash, realm) for owner, crash in crashes if owner is package for realm in REALMS]
            if all(key in measured for key in wanted):
                raised = dict.fromkeys(exception(measured[key][0]) for key in wanted)
                kept = {realm: sum(measured[key][1] for key in wanted if key[1] == realm) for realm in REALMS}
                outcomes = {realm: f"{kept[realm]} of {ROUNDS * len(wanted) // len(REALMS)}" for realm in REALMS}
                version = f"`{package.name}`", package.version()
                lines.append(row(*version, package.state, ", ".join(raised), both(outcomes)))
        return lines

    def _line(self, package: Package) -> str:
        manifest = package.manifest()
        measured = self._measured[package.folder]
        adapter = next((name for name, _ in measured.values() if name), "")
        crash = f"{package.how}: {' or '.join(f'`{name}`' for name in package.raises)}"
        outcomes = [both({realm: measured[realm, recovery][1] for realm in REALMS}) for recovery in RECOVERIES]
        size = f"{package.megabytes():.2f}"
        named = f"`{manifest['name']}`", manifest["version"], package.target
        return row(*named, package.vintage(), size, adapter, crash, *outcomes)


def exception(name: str) -> str:
    """Returns an exception in the words of the table. Engines differ in which of the two stacks overflows first."""
    return "`StackOverflow` or `Trap`" if name in ("StackOverflow", "Trap") else f"`{name}`"


def both(outcomes: dict[str, str]) -> str:
    """Returns what happened on the page and in the worker, once if it is the same."""
    distinct = set(outcomes.values())
    return distinct.pop() if len(distinct) == 1 else "; ".join(f"{realm}: {text}" for realm, text in outcomes.items())


def by_target_and_age(package: Package) -> tuple[int, list[int], str]:
    age = [int(part) for part in package.bindgen().split(".")]
    return TARGETS.index(package.target), age, package.folder


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def written(name: str) -> list[str]:
    """Returns the lines below the head of a table on the page."""
    return section(name).splitlines()[2:]


def section(name: str) -> str:
    begin, end = (mark.format(name) for mark in MARKS)
    text = PAGE.read_text("utf-8")
    return text[text.index(begin) + len(begin) : text.index(end)]


def write(name: str, head: list[str], lines: list[str]) -> None:
    begin = MARKS[0].format(name)
    text = PAGE.read_text("utf-8")
    table = "\n".join([row(*head), row(*["---"] * len(head)), *lines]) + "\n"
    PAGE.write_text(text.replace(begin + section(name), begin + table), "utf-8")
