"""Arguments between their conversion and their call.

The conversion of an argument may run the user's code: `__index__`, the `__getitem__` of a sequence, a function that
makes an object again after a reset. That code may reset or end the module, or free an object that is another argument.
So a call begins in three steps:

1. All arguments are converted as far as that is possible without a generation. An argument that needs a generation
   becomes a `Draft`.
2. The objects among the arguments are made again where a reset took them, until all live in one generation.
3. The drafts are lowered: each becomes the value that the lane takes.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .._bridge.asyncio_private import error_of
from .._bridge.context import Context
from .._bridge.futures import Call
from ..errors import CallInterrupted
from .handles import ObjectHandle

__all__ = ["Arguments", "Draft", "Late", "Lent", "Owned", "Written", "value_of"]

# How many times the objects of one call are checked. Two are enough unless the function that makes an object again
# resets the module itself.
MOST_ROUNDS = 4


class Draft:
    """An argument that needs a generation, or one into which Rust may write.

    Attributes:
        objects: the handles of objects of the called module that have to live before the draft is lowered.
        written: the parts of the argument into which Rust may have written when the call has ended.
    """

    objects: Sequence[ObjectHandle] = ()
    written: "Sequence[Written]" = ()

    def lower(self, call: str) -> Any:
        """Returns the value that a lane takes."""
        raise NotImplementedError

    def value(self, call: str) -> Any:
        """Returns the value that JavaScript itself takes, outside of a lane."""
        return self.lower(call)


class Written(Draft):
    """An argument that Rust may write into."""

    def __init__(self) -> None:
        self.written = (self,)

    def write_back(self) -> None:
        """Copies what Rust wrote to the caller's object."""
        raise NotImplementedError

    def look_again(self) -> None:
        """Remembers the argument as it is now: from here on changes count."""

    def warn_if_kept(self, call: str) -> None:
        """Warns if Rust still holds the argument after the call."""


class Late(Draft):
    """A value that is made when all arguments have been converted.

    Args:
        make: makes the value.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def lower(self, _call: str) -> Any:
        """Makes the value."""
        return self._make()


class Lent(Draft):
    """An object for a parameter of any type: JavaScript and Rust may keep it.

    Args:
        obj: an object of the module whose function is called.
    """

    def __init__(self, obj: Any) -> None:
        self._obj = obj  # which must not be collected before the call
        self._handle: ObjectHandle = obj.__rust_handle__
        self.objects = (self._handle,)

    def lower(self, _call: str) -> Any:
        """Returns a parcel that holds the object's number, and that the lane opens."""
        return self._handle.lend()

    def value(self, call: str) -> Any:
        """Returns the glue's object."""
        return self._handle.share(call)

    def packed(self, call: str, *, lends: bool) -> tuple[int, str]:
        """Returns the object's number and the name of its class, as they stand in a parcel.

        Args:
            call: the call that uses the object.
            lends: whether the object lives already, as the arguments of a call do.
        """
        self._handle.is_shared = True
        return (self._handle.id if lends else self._handle.live(call)), self._handle.class_name


def value_of(converted: Any, call: str) -> Any:
    """Returns a converted value as JavaScript itself takes it. For values outside of calls, which need no drafts."""
    return converted.value(call) if isinstance(converted, Draft) else converted


class Owned(Draft):
    """An object for a parameter of its class.

    Args:
        handle: the handle of an object of the module whose function is called. The caller keeps the object itself.
    """

    def __init__(self, handle: ObjectHandle) -> None:
        self._handle = handle
        self.objects = (handle,)

    def lower(self, _call: str) -> Any:
        """Returns the object's number."""
        return self._handle.id


class Arguments:
    """The arguments of a call, lowered.

    Attributes:
        values: the arguments of the lane.

    Args:
        context: the context of the module whose function is called.
        call: the function's name.
        converted: the arguments as their senders converted them; an object for a parameter of its class is `Owned`.

    Raises:
        CallInterrupted: the function that makes an object again resets the module each time.
        StaleObjectError: one of the objects is gone.
    """

    def __init__(self, context: Context, call: str, converted: Sequence[Any]) -> None:
        self._supervisor = context.supervisor
        self._call = call
        self.values: list[Any] = []
        self._written: list[Written] = []
        objects: list[ObjectHandle] = []
        for item in converted:
            if isinstance(item, Draft) and item.objects:
                objects += item.objects
        if objects:
            _make_live(objects, context, call)
        for item in converted:
            if isinstance(item, Draft):
                self.values.append(item.lower(call))
                if item.written:
                    self._written += item.written
            else:
                self.values.append(item)

    def run(self, lane: Callable[..., Any], receive: Callable[[Any], Any]) -> Any:
        """Makes the call, and copies back what Rust wrote into arguments, also where the call fails."""
        try:
            result = lane(*self.values)
        except BaseException as error:
            self.failed(error)
            raise
        return self.ended(receive(self.returned(result)))

    # The steps of `run`, for functions that make the call themselves.

    def failed(self, error: BaseException) -> None:
        """Hears that the call ended in an exception."""
        if self._written:
            self._write_back_beside(error)

    def returned(self, result: Any) -> Any:
        """Hears that the call returned something, and returns it unchanged."""
        if self._written:
            self._write_back()
        return result

    def ended(self, result: Any) -> Any:
        """Hears that the result was converted, and returns it unchanged."""
        if self._written and isinstance(result, Call):  # a promise that no declaration announced
            for written in self._written:
                written.look_again()
            result.add_done_callback(self._settled)
        elif self._written:
            self._warn()
        return result

    def start(self, lane: Callable[..., int], receive: Callable[[Any], Any] | None) -> Call:
        """Begins an async call. Rust's writes are copied back before the code that awaits the call goes on."""

        def received(value: Any) -> Any:
            self._settled(future)
            self._warn()
            self._written.clear()
            return receive(value) if receive else value

        future = self._supervisor.started(lane(*self.values), self._call, received if self._written else receive)
        if self._written:
            future.add_done_callback(self._settled)
        return future

    def _settled(self, future: Call) -> None:
        if future.cancelled():
            self._written.clear()  # a caller who gave the call up may use the buffer for something else
        elif error := error_of(future):
            self._write_back_beside(error)
        else:
            self._write_back()

    def _write_back_beside(self, error: BaseException) -> None:
        try:
            self._write_back()
        except Exception as failure:
            error.add_note(f"what Rust had written into an argument is lost: {failure}")

    def _write_back(self) -> None:
        failures = []
        for written in self._written:
            try:
                written.write_back()
            except Exception as error:
                failures.append(error)
        if failures:
            failures[0].args = (f"{self._call}(): {failures[0]}",)
            raise failures[0]

    def _warn(self) -> None:
        for written in self._written:
            written.warn_if_kept(self._call)


def _make_live(objects: Sequence[ObjectHandle], context: Context, call: str) -> None:
    """Makes the objects again that a reset took, until all live in one generation."""
    for _ in range(MOST_ROUNDS):
        is_ready = True
        for handle in objects:
            if not handle.is_current():
                is_ready = False
                handle.live(call)
        if is_ready:
            return
    raise CallInterrupted(
        f"{context.name}.{call} did not begin: what makes its arguments again resets the module each time."
    )
