"""The folder where the tools keep what they download once on a machine."""

import os
import sys
from pathlib import Path

__all__ = ["cache_folder"]


def cache_folder() -> Path:
    """Returns the folder: `$UNPANIC_CACHE`, or the usual place of the system."""
    if named := os.environ.get("UNPANIC_CACHE"):
        return Path(named)
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData/Local") / "unpanic"
    if sys.platform == "darwin":
        return home / "Library/Caches/unpanic"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "unpanic"
