"""How an object is made again after a reset has taken its generation.

A handle knows what its object was made with, or the function that the user named for it (`unpanic.track`). Whoever uses
a stale object gets a new one in its place, and a warning that its state began anew.
"""

import logging
import warnings
from collections.abc import Callable
from typing import Any

from .._bridge.crashes import make_stale
from .._log import log
from .._traceback import OWN_FILES
from .._values.handles import GONE, ObjectHandle
from ..errors import StaleObjectError, StateLostWarning
from .structs import Struct

__all__ = ["StructHandle"]


class StructHandle(ObjectHandle):
    """The handle of an object of an exported struct.

    Attributes:
        made_with: the arguments of the constructor; None if Rust handed the object out.
        rebuild: the user's function that makes the object again, if there is one.
        has_warned: whether the user was told, or need not be told, that its state begins anew.
    """

    made_with: tuple[Any, ...] | None = None
    rebuild: Callable[[], Any] | None = None
    has_warned = False

    def __init__(self, struct: Struct, id_: int) -> None:
        super().__init__(struct.context, id_, struct.described.name)
        self.struct = struct
        self.class_name = struct.described.name
        # JavaScript made an object of such a class, and has it as long as it likes.
        self.is_shared = struct.described.is_wrapper

    def live(self, call: str) -> int:
        """The number of the object, which is made again if its generation is gone.

        Raises:
            StaleObjectError: it is gone and nothing tells how to make it again.
        """
        self._ensure_usable(call)
        if not self.is_current():
            self.context.supervisor.ensure_ready(call)
            self._ensure_usable(call)  # while that waited, another task may have freed it, or made it again
            if not self.is_current():
                self._make_again(call)
        return self.id

    def _ensure_usable(self, call: str) -> None:
        if self.fate:
            raise StaleObjectError(
                f"This {self.struct.path} was {self.fate}; it cannot be used in {self.context.name}.{call}."
            )

    def _make_again(self, call: str) -> None:
        context, supervisor = self.context, self.context.supervisor
        if consumer := context.driver.consumer(self.id):
            raise make_stale(context.name, self.class_name, consumer, call)
        rebuild = self.rebuild or self._default_rebuild()
        if rebuild is None:
            raise StaleObjectError(
                f"This {self.struct.path} was made by generation {self.generation}, which is gone "
                f"(now {supervisor.generation}); make a new one before {call}."
            )
        text = "A %(module)s.%(class)s is made again for %(call)s."
        record = (context.name, supervisor.last_generation, self.class_name, call)
        supervisor.say(None, log, logging.INFO, "rebuild", text, *record)
        supervisor.raise_remembered()
        self._warn()
        rebuilt = rebuild()
        self._ensure_usable(call)  # as above
        if not self.is_current():
            self._take_over(rebuilt)

    def _default_rebuild(self) -> Callable[[], Any] | None:
        made_with = self.made_with
        if made_with is None or not self.context.objects.recreates:
            return None
        cls = self.context.classes[self.class_name]
        return lambda: cls(*made_with)

    def _warn(self) -> None:
        # With the user's own `rebuild`, what comes back is what the user wants.
        is_changed = self.context.driver.wasChanged(self.id) and not self.rebuild
        if is_changed or not self.has_warned:
            self.has_warned = True
            # Python shows a warning once for each text and line: this text is another one each time.
            warnings.warn(
                f"This {self.struct.path} was made again after the reset to generation "
                f"{self.context.supervisor.generation}; "
                f"{'what was changed in it' if is_changed else 'what it held'} since is lost.",
                StateLostWarning,
                skip_file_prefixes=OWN_FILES,
            )

    def _take_over(self, rebuilt: Any) -> None:
        """Puts an object into the place of this one, which nobody else may use any more."""
        if not isinstance(rebuilt, self.context.classes[self.class_name]):
            raise TypeError(
                f"the rebuild of this {self.struct.path} returned {rebuilt!r}, not an object of the same class"
            )
        other: StructHandle = rebuilt.__rust_handle__
        new_id = other.live("rebuild")
        self.context.objects.move(self.id, new_id)
        self.id, self.generation = new_id, other.generation
        other.id, other.generation, other.fate = 0, GONE, "taken over by the object that it rebuilt"
