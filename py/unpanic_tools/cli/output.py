"""Where the command prints."""

from rich.console import Console

__all__ = ["console"]

# No markup and no highlighting: what is printed is names and paths, which may look like either.
console = Console(markup=False, highlight=False, emoji=False)
