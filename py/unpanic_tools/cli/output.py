"""Where the command prints."""

from rich.console import Console

__all__ = ["console", "note"]

# No markup and no highlighting: what is printed is names and paths, which may look like either.
console = Console(markup=False, highlight=False, emoji=False)
# What is no result goes to standard error, so that the result can be piped.
_notes = Console(markup=False, highlight=False, emoji=False, stderr=True)


def note(text: str) -> None:
    """Says what goes on."""
    _notes.print(text, soft_wrap=True)
