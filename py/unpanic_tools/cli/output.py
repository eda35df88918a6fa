"""Where the command prints."""

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = ["AsJson", "console", "note", "print_json"]

# The option of verbs whose result other programs may want.
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

# No markup and no highlighting: what is printed is names and paths, which may look like either.
console = Console(markup=False, highlight=False, emoji=False)
# What is no result goes to standard error, so that the result can be piped.
_notes = Console(markup=False, highlight=False, emoji=False, stderr=True)


def print_json(data: Mapping[str, Any]) -> None:
    """Prints a result for other programs."""
    print(json.dumps(data, indent=2))


def note(text: str) -> None:
    """Says what goes on."""
    _notes.print(text, soft_wrap=True)
