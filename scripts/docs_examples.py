"""Lets griffe, which reads docstrings for the reference, take `Example:` for what Google's style says that it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from griffe import Extension

if TYPE_CHECKING:
    from griffe import Object


class Examples(Extension):
    """Gives the section the one name that griffe knows."""

    def on_object(self, *, obj: Object, **_: object) -> None:
        """Is called for every class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = re.sub(r"^Example:$", "Examples:", obj.docstring.value, flags=re.M)
