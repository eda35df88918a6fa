"""Exported functions as Python callables.

A function that takes and gives plain numbers is the JavaScript lane itself: a call
crosses once and no Python code runs. Every other one has a Python function around its
lane, which converts what goes in and what comes out.
"""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ._description import Function, Parameter
from ._values import Converter, receiver, sender

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["Arguments", "make_function", "wrap"]


class Arguments:
    """Checks and converts the arguments of one function."""

    def __init__(self, name: str, params: Sequence[Parameter], module: "Module") -> None:
        self.name = name
        self.params = params
        self.senders: list[Converter] = [sender(param.kind, module, name) for param in params]
        self.rest = bool(params) and params[-1].rest
        self.most = len(params) - self.rest
        required = [index for index, param in enumerate(params) if not param.optional and not param.rest]
        self.least = required[-1] + 1 if required else 0

    def convert(self, args: tuple[Any, ...]) -> list[Any]:
        """The arguments as the lane takes them.

        Raises:
            TypeError: too many, too few, or of a type that the parameter does not take.
            OverflowError: an integer that does not fit.
        """
        if not self.least <= len(args) <= self.most and not (self.rest and len(args) > self.most):
            raise self._wrong_count(len(args))
        converted: list[Any] = []
        for index, value in enumerate(args):
            position = min(index, len(self.params) - 1)
            param = self.params[position]
            if value is None and param.optional:
                converted.append(None)
                continue
            try:
                converted.append(self.senders[position](value))
            except (TypeError, OverflowError, ValueError) as error:
                _name_argument(error, f"{self.name}() argument {param.name!r}")
                raise
        return converted

    def _wrong_count(self, given: int) -> TypeError:
        if given < self.least:
            missing = [repr(param.name) for param in self.params[given : self.least]]
            count = f"{len(missing)} required positional argument{'s' if len(missing) > 1 else ''}"
            return TypeError(f"{self.name}() missing {count}: {_enumerated(missing)}")
        takes = f"from {self.least} to {self.most}" if self.least < self.most else str(self.most)
        plural = "" if self.most == 1 and self.least == 1 else "s"
        were = "was" if given == 1 else "were"
        return TypeError(f"{self.name}() takes {takes} positional argument{plural} but {given} {were} given")


def _enumerated(names: Sequence[str]) -> str:
    """`'a', 'b', and 'c'`, with the commas that Python itself sets."""
    if len(names) < 3:
        return " and ".join(names)
    return f"{', '.join(names[:-1])}, and {names[-1]}"


def _name_argument(error: Exception, place: str) -> None:
    """Puts the function and the parameter before an error's message."""
    if len(error.args) == 1:
        error.args = (f"{place}: {error.args[0]}",)
    else:
        error.add_note(f"in {place}")


def wrap(name: str, function: Function, lane: Callable[..., Any], module: "Module") -> Callable[..., Any]:
    """A Python function around a lane.

    Args:
        name: the function's name in messages, such as `Account.named`.
        function: what it takes and gives.
        lane: the JavaScript function to call.
        module: the module that it belongs to.
    """
    arguments = Arguments(name, function.params, module)
    receive = receiver(function.result, module)
    call = _wrap_async(arguments, lane, receive, module) if function.is_async else _wrap_sync(arguments, lane, receive)
    call.__name__ = call.__qualname__ = function.name
    call.__module__ = module.name
    return call


def _wrap_sync(arguments: Arguments, lane: Callable[..., Any], receive: Converter | None) -> Callable[..., Any]:
    convert = arguments.convert
    if receive is None:
        return lambda *args: lane(*convert(args))
    return lambda *args: receive(lane(*convert(args)))


def _wrap_async(
    arguments: Arguments, lane: Callable[..., Any], receive: Converter | None, module: "Module"
) -> Callable[..., Any]:
    convert, name = arguments.convert, arguments.name

    def call(*args: Any) -> Any:
        supervisor = module.supervisor
        # The arguments belong to a generation: they are converted when there is one.
        return supervisor.when_ready(lambda: supervisor.started(lane(*convert(args)), name, receive), name)

    return inspect.markcoroutinefunction(call)


def make_function(index: int, function: Function, module: "Module") -> Callable[..., Any]:
    """The attribute of a module for an exported function."""
    if module.driver.isNumeric(index):
        return module.driver.numericLane(index)
    return wrap(function.name, function, module.driver.functionLane(index), module)
