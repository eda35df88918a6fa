"""What unpanic's own tests add to the plugin's Pyodide: a server whose answers they choose, and checks of commits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from unpanic_tools.testing.site import Site

if TYPE_CHECKING:
    from unpanic_tools.testing.in_browser import InBrowser

    from scripts.serve import Server


@dataclass(frozen=True)
class OwnSite(Site):
    """The plugin's site, on a server to which a test adds answers with `server.route(...)`."""

    server: Server


def set_checks(on):
    """Has modules that are loaded from now on compare at each commit. A difference is an uncaught error."""
    import js

    # It reports without Python, and without text that a strict page would not evaluate.
    js.unpanicCheckCommits = js.reportError if on else None


def checked(pyodide: InBrowser, checks: bool) -> InBrowser:
    """Returns the Pyodide, whose commits compare memory with its shadow or not."""
    if getattr(pyodide.host, "checks", None) != checks:
        pyodide.run(set_checks, on=checks)
        pyodide.host.checks = checks
    return pyodide
