"""What a text names: a file of Pyodide's file system, or a URL. It is the file, if that is there."""

from pathlib import Path
from typing import Any

__all__ = ["local_path", "name_missing_files"]


def local_path(given: Any) -> Path | None:
    """The path of a file in Pyodide's file system, or None for a URL or anything else."""
    if isinstance(given, Path):
        return given
    if isinstance(given, str) and "://" not in given and Path(given).is_file():
        return Path(given)
    return None


def name_missing_files(error: Exception, *given: Any) -> None:
    """Adds to the message about a URL that was not there which file it might have been.

    Args:
        error: what a load ended in.
        given: what the user named; the message is about those whose URL it shows.
    """
    message = str(error)
    files = [
        str(Path(text).absolute())
        for text in given
        if isinstance(text, str) and "://" not in text and not text.startswith("data:")
        if text.lstrip("./") and text.lstrip("./") in message
    ]
    if files:
        error.args = (f"{message.removesuffix('.')}, and there is no file {' and none '.join(files)}.",)
