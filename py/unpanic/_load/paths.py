"""Whether a text names a file of Pyodide's file system or a URL: it names the file if one is there."""

import re
from pathlib import Path
from typing import Any

__all__ = ["local_path", "name_missing_files"]

# A text that may be the name of a package on npm, without the `npm:` before it: it names no folder and no file.
BARE_NAME = re.compile(r"(?:@[\w~-][\w.~-]*/)?[\w~-][\w.~-]*(?:@[\w.~-]+)?")
FILE = re.compile(r".*\.(?:[cm]?[jt]s|wasm|html)")


def local_path(source: Any) -> Path | None:
    """Returns the path of a file in Pyodide's file system, or None for a URL or anything else."""
    if isinstance(source, Path):
        return source
    if isinstance(source, str) and "://" not in source and Path(source).is_file():
        return Path(source)
    return None


def name_missing_files(error: Exception, *sources: Any) -> None:
    """Adds to the message about a URL that could not be fetched which file the user may have meant.

    Args:
        error: the exception that ended a load.
        sources: the URLs and paths that the user passed, the glue first. Only those that the message shows are added.
            If the glue could be the name of a package, the message says how to write that.
    """
    message = str(error)
    files = [
        str(Path(text).absolute())
        for text in sources
        if isinstance(text, str) and "://" not in text and not text.startswith("data:")
        if text.lstrip("./") and text.lstrip("./") in message
    ]
    if files:
        # What to do comes last.
        problem, check, remedy = message.partition(". Check the ")
        end = check + remedy if check else "."
        if _may_be_package(sources[0]):
            end = end.replace("Check the URL.", f"Check the URL, or write npm:{sources[0]} for a package on npm.")
        error.args = (f"{problem.removesuffix('.')}, and there is no file {' and none '.join(files)}{end}",)


def _may_be_package(glue: Any) -> bool:
    return isinstance(glue, str) and bool(BARE_NAME.fullmatch(glue)) and not FILE.fullmatch(glue)
