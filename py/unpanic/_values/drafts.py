"""Arguments between their conversion and their call.

To convert an argument runs code of the user's: `__index__`, a sequence's `__getitem__`, what makes an object again
after a reset. Any of it may reset the module, end it, or free what another argument is about to give away. So all
arguments are converted first, as far as that goes without a generation; what belongs to one is a `Draft` until then.
Then the objects among them are made to live, all in one generation. Only then the drafts are lowered, and the call
begins.
"""

from collections.abc import Callable, Sequence
from typing import Any

from .._bridge.context import Context
from .._bridge.futures import Call
from ..errors import CallInterrupted
from .handles import ObjectHandle

__all__ = ["Arguments", "Draft", "Late", "Lent", "Owned", "Written", "value_of"]

# How often objects are looked at for one call. Twice is the rule where one is made again; what makes it may reset the
# module itself.
MOST_ROUNDS = 4


class Draft:
    """An argument that needs a generation, or that is not over when its call has ended.

    Attributes:
        objects: the handles of objects of the module itself that have to live before it is lowered.
        written: what Rust may have written into when the call has ended.
    """

    objects: Sequence[ObjectHandle] = ()
    written: "Sequence[Written]" = ()

    def lower(self, call: str) -> Any:
        """What a lane takes for it."""
        raise NotImplementedError

    def value(self, call: str) -> Any:
        """What JavaScript itself takes for it."""
        return self.lower(call)


class Written(Draft):
    """An argument that Rust may write into."""

    def __init__(self) -> None:
        self.written = (self,)

    def write_back(self) -> None:
        """Brings the caller what Rust wrote."""
        raise NotImplementedError

    def look_again(self) -> None:
        """From now on changes count."""

    def warn_if_kept(self, call: str) -> None:
        """Warns if Rust goes on to hold it after the call."""


class Late(Draft):
    """What is made when all else is converted.

    Args:
        make: makes it.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def lower(self, _call: str) -> Any:
        """Makes it."""
        return self._make()


class Lent(Draft):
    """An object for a parameter without a type: JavaScript and Rust may keep it.

    Args:
        obj: an object of the module whose function is called.
    """

    def __init__(self, obj: Any) -> None:
        self._obj = obj  # which must not be collected before the call
        self._handle: ObjectHandle = obj.__rust_handle__
        self.objects = (self._handle,)

    def lower(self, _call: str) -> Any:
        """Its number, in a parcel that the lane opens."""
        return self._handle.lend()

    def value(self, call: str) -> Any:
        """The glue's object."""
        return self._handle.share(call)

    def packed(self, call: str, *, lends: bool) -> tuple[int, str]:
        """Its number and its class, as they stand in a parcel.

        Args:
            call: what it is used in.
            lends: whether it lives already, as the arguments of a call do.
        """
        self._handle.is_shared = True
        return (self._handle.id if lends else self._handle.live(call)), self._handle.class_name


def value_of(converted: Any, call: str) -> Any:
    """What a converter made as JavaScript itself takes it: outside of calls, where nothing comes after it."""
    return converted.value(call) if isinstance(converted, Draft) else converted


class Owned(Draft):
    """An object for a parameter of its class.

    Args:
        handle: that of an object of the module whose function is called; whoever calls holds the object.
    """

    def __init__(self, handle: ObjectHandle) -> None:
        self._handle = handle
        self.objects = (handle,)

    def lower(self, _call: str) -> Any:
        """Its number."""
        return self._handle.id


class Arguments:
    """The arguments of a call, lowered.

    Attributes:
        values: what the lane takes.

    Args:
        context: that of the module whose function is called.
        call: the function's name.
        given: what converters made of the arguments; an object for a parameter of its class is `Owned`.

    Raises:
        CallInterrupted: what makes their objects again resets the module each time.
        StaleObjectError: one of them is gone.
    """

    def __init__(self, context: Context, call: str, given: Sequence[Any]) -> None:
        self._supervisor = context.supervisor
        self._call = call
        self.values: list[Any] = []
        self._written: list[Written] = []
        objects: list[ObjectHandle] = []
        for item in given:
            if isinstance(item, Draft) and item.objects:
                objects += item.objects
        if objects:
            _make_live(objects, context, call)
        for item in given:
            if isinstance(item, Draft):
                self.values.append(item.lower(call))
                if item.written:
                    self._written += item.written
            else:
                self.values.append(item)

    def run(self, lane: Callable[..., Any], receive: Callable[[Any], Any]) -> Any:
        """Calls; what Rust wrote into arguments is there afterwards, whether it succeeds or not."""
        try:
            result = lane(*self.values)
        except BaseException as error:
            self.failed(error)
            raise
        return self.ended(receive(self.returned(result)))

    # The same in steps.

    def failed(self, error: BaseException) -> None:
        """The call ended in an exception."""
        if self._written:
            self._write_back_beside(error)

    def returned(self, result: Any) -> Any:
        """The call gave something, which is returned as it is."""
        if self._written:
            self._write_back()
        return result

    def ended(self, result: Any) -> Any:
        """What it gave is converted, and returned as it is."""
        if self._written and isinstance(result, Call):  # a promise that nothing announced
            for written in self._written:
                written.look_again()
            result.add_done_callback(self._settled)
        elif self._written:
            self._warn()
        return result

    def start(self, lane: Callable[..., int], receive: Callable[[Any], Any] | None) -> Call:
        """Begins an async call; what Rust wrote is there before anybody who awaits it goes on."""

        def received(value: Any) -> Any:
            self._settled(call)
            self._warn()
            self._written.clear()
            return receive(value) if receive else value

        call = self._supervisor.started(lane(*self.values), self._call, received if self._written else receive)
        if self._written:
            call.add_done_callback(self._settled)
        return call

    def _settled(self, call: Call) -> None:
        if call.cancelled():
            self._written.clear()  # who gives a call up may use the buffer for something else
        elif error := call._exception:  # `exception()` would count as having been looked at
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
    """Makes again what a reset took, until all live in one generation."""
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
