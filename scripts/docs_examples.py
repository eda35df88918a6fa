"""Lets griffe, which reads docstrings for the reference, accept `Example:` as a heading, as Google's style allows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from griffe import Extension

if TYPE_CHECKING:
    from griffe import Object


class Examples(Extension):
    """Renames the section to `Examples:`, the only name that griffe knows."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Handles the docstring of a class, function or attribute. griffe calls this."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
