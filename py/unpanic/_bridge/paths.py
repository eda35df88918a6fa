"""Whether a text names a file in Pyodide's file system or a URL. If there is such a file, it is the file."""

from pathlib import Path
from typing import Any

__all__ = ["local_path", "name_missing_files"]


def local_path(source: Any) -> Path | None:
    """The path of a file in Pyodide's file system, or None for a URL or anything else."""
    if isinstance(source, Path):
        return source
    if isinstance(source, str) and "://" not in source and Path(source).is_file():
        return Path(source)
    return None


def name_missing_files(error: Exception, *sources: Any) -> None:
    """Adds the path of the missing file to the message about a URL that the server does not have.

    Args:
        error: the exception that a load ended in.
        sources: what the user passed; the message is about those whose URL it shows.
    """
    message = str(error)
    files = [
        str(Path(text).absolute())
        for text in sources
        if isinstance(text, str) and "://" not in text and not text.startswith("data:")
        if text.lstrip("./") and text.lstrip("./") in message
    ]
    if files:
        error.args = (f"{message.removesuffix('.')}, and there is no file {' and none '.join(files)}.",)
