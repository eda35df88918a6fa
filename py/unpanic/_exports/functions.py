"""Exported functions as Python functions that convert.

Each is a Python function around its lane, from source text that is made for its parameters (`wrapper_source.py`), as
`dataclasses` does it. So signatures, keywords, defaults and Python's own words for wrong calls come by themselves, and
arguments are converted without a loop. A function of plain numbers needs none of it, see `numeric.py`.
"""

import functools
import inspect
from collections.abc import Callable
from typing import Any

from .._bridge.context import Context
from .._traceback import GENERATED
from .._unseen import unseen_code, without_own_frames
from .._values.drafts import Arguments, Draft, Owned
from .._values.receivers import make_receiver
from .._values.senders import make_item_sender, make_sender
from .description import Function, Parameter
from .overloads import with_all_names
from .scope import Scope
from .shapes import Shapes
from .wrapper_source import Form, wrapper_source

__all__ = ["FunctionMaker"]

# Senders raise these for a value that a parameter does not take. Any other exception comes from the user's own methods.
FAULTS = (TypeError, OverflowError, ValueError)
# The names in capitals of generated functions, except for those that each function has of its own.
GLOBALS = {
    "ANYTHING": BaseException,
    "TYPE": type,
    "STR": str,
    "INT": int,
    "FLOAT": float,
    "LEN": len,
    "ISINSTANCE": isinstance,
    "DRAFT": Draft,
    "MAKE_ARGUMENTS": Arguments,
    "OWNED": Owned,
}


class FunctionMaker:
    """Makes the Python functions around the lanes of a module.

    Args:
        context: that of the module.
        scope: gives functions their annotations.
        shapes: those of the types that the module declares.
    """

    def __init__(self, context: Context, scope: Scope, shapes: Shapes) -> None:
        self._context = context
        self._scope = scope
        self._shapes = shapes

    def make(
        self,
        function: Function,
        lane: Callable[..., Any],
        owner: str = "",
        form: Form = "function",
        begin: Callable[..., None] | None = None,
        *,
        assigns: bool = False,
    ) -> Callable[..., Any]:
        """Makes the Python function around a lane.

        Args:
            function: what it takes and returns.
            lane: the JavaScript function to call.
            owner: the class that it is a member of.
            form: a method has a `self`, whose number goes to the lane first. A constructor hands its own to `begin`,
                with the number of the new object and the arguments.
            begin: see `form`.
            assigns: whether it is a setter, whose parameter the user has not seen: errors name what is assigned to.
        """
        name = f"{owner}.{function.python}" if owner else function.python
        place = owner if form == "constructor" else name
        receive = make_receiver(function.result, self._context)
        make = _compiled(function.is_async, form, receive is not None, self._context.waits, *function.params)
        call = make(
            LANE=lane,
            PLACE=place,
            CONTEXT=self._context,
            SUPERVISOR=self._context.supervisor,
            RECEIVE=receive,
            BEGIN=begin,
            **self._senders(function, place, assigns=assigns),
        )
        self._name(call, function, place, f"{owner}.__init__" if form == "constructor" else name)
        if function.is_async:
            inspect.markcoroutinefunction(call)
        self._scope.annotate(call, function.annotations)
        return with_all_names(call, function, has_self=form != "function") if function.overloads else call

    def settle(self) -> None:
        """Gives functions their annotations that wait for them, see `Scope.settle`."""
        self._scope.settle()

    def _senders(self, function: Function, place: str, *, assigns: bool) -> dict[str, Any]:
        """Returns the sender of each argument, and the words for the argument in errors."""
        senders: dict[str, Any] = {}
        for at, param in enumerate(function.params):
            shape = functools.partial(self._shapes.of_declared, param.declared)
            make = make_item_sender if param.rest else make_sender
            senders[f"SEND{at}"] = make(param, self._context, shape)
            senders[f"PLACE{at}"] = place if assigns else f"{place}() argument {param.python!r}"
        return senders

    def _name(self, call: Callable[..., Any], function: Function, place: str, qualified: str) -> None:
        """Gives a generated function the name and the documentation of the exported one, and hides its frames."""
        call.__name__ = qualified.rpartition(".")[2]
        call.__qualname__ = qualified
        call.__module__ = self._context.name
        call.__doc__ = function.doc or None
        file = f"{GENERATED}{self._context.name}.{place}>"
        named = call.__code__.replace(co_name=call.__name__, co_qualname=qualified, co_filename=file)
        call.__code__ = unseen_code(named)


@functools.lru_cache(maxsize=1000)
def _compiled(is_async: bool, form: Form, has_receiver: bool, waits: bool, *params: Parameter) -> Callable[..., Any]:
    """Returns a function that makes functions with these parameters. It is compiled once for all that have the same."""
    names = ["LANE", "PLACE", "CONTEXT", "SUPERVISOR", "RECEIVE", "BEGIN"]
    names += [f"{name}{at}" for at in range(len(params)) for name in ("SEND", "PLACE")]
    lines = wrapper_source(params, is_async=is_async, form=form, has_receiver=has_receiver, waits=waits)
    source = "\n".join([f"def make({', '.join(names)}):", *lines, "    return call"])
    scope: dict[str, Any] = {"BLAME": _blame, "HIDE": without_own_frames, **GLOBALS}
    exec(compile(source, f"{GENERATED}function>", "exec"), scope)
    make: Callable[..., Any] = scope["make"]
    return make


def _blame(error: BaseException, place: str) -> None:
    """Puts the function and the parameter before an error's message, and leaves out how it was found."""
    without_own_frames(error)
    if not isinstance(error, FAULTS):
        return
    if len(error.args) == 1:
        error.args = (f"{place}: {error.args[0]}",)
    else:
        error.add_note(f"in {place}")
