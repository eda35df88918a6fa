"""A Pyodide of one's own: its files, wheels, and the lock file that names them, in one folder that needs no other host.

Owns: where Pyodide comes from, wheels of installed packages, and the lock file (by pyodide-lock and pyodide-build).
May know nothing of the command: it prints nothing, and raises `DistributionError`.
"""

from .installed import pack_installed
from .make import Distribution, DistributionError, make_distribution
from .pyodide import PYODIDE_VERSION, PyodideMissing, find_pyodide

__all__ = [
    "PYODIDE_VERSION",
    "Distribution",
    "DistributionError",
    "PyodideMissing",
    "find_pyodide",
    "make_distribution",
    "pack_installed",
]
