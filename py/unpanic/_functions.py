"""Exported functions as Python callables.

A function that takes and gives plain numbers is the JavaScript lane itself, in a `functools.partial`: a call crosses
once and no Python code runs. Every other one is a Python function around its lane, from source text that is made for
its parameters, as `dataclasses` does: so signatures, keywords, defaults and Python's own words for wrong calls come by
themselves, and what is converted, is so without a loop.
"""

import functools
import inspect
import types
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from ._crashes import without_own_frames
from ._description import Function, Parameter
from ._numbers import RANGES
from ._signatures import Argument, parameter_text
from ._unseen import unseen_code
from ._values import item_sender, receiver, sender

if TYPE_CHECKING:
    from ._module import Module

__all__ = ["GENERATED", "NumericFunction", "make_callable", "make_function"]

type Form = Literal["function", "method", "constructor"]

# How the names of files begin that generated functions say they are in.
GENERATED = "<unpanic "
# Senders raise these for what a parameter does not take; what else comes out of them is of the user's own methods.
FAULTS = (TypeError, OverflowError, ValueError)
# What generated functions say in capitals, which no parameter does: it may be called `type` or `str`.
GLOBALS = {"ANYTHING": BaseException, "TYPE": type, "STR": str, "INT": int, "FLOAT": float}
# What the commonest values of a kind look like: they go in as they are, and no sender is called.
READY = {
    "string": "TYPE({0}) is STR and {0}.isascii()",
    "float": "TYPE({0}) is FLOAT",
    "bool": "{0} is True or {0} is False",
    "boolean": "{0} is True or {0} is False",
} | {kind: f"TYPE({{0}}) is INT and {low} <= {{0}} <= {high}" for kind, (low, high, _) in RANGES.items()}


class NumericFunction(functools.partial):  # type: ignore[type-arg]
    """An exported function of plain numbers: Python hands its arguments straight to JavaScript.

    What else Python asks of a function comes from one that is made when it is asked for, the same that takes the
    calls which the lane declines.
    """

    __slots__ = ()

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # `inspect` says of each kind of partial that it is no routine, and `help` would list it as data.
        return types.BuiltinFunctionType

    @property
    def __signature__(self) -> inspect.Signature:
        return inspect.signature(self.general())  # type: ignore[attr-defined]

    @property
    def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]
        return inspect.get_annotations(self.general())  # type: ignore[attr-defined]

    def __get__(self, instance: object, owner: type | None = None) -> Self:
        # As an attribute of a class it takes no self.
        return self

    def __repr__(self) -> str:
        return f"<function {self.__qualname__} at {id(self):#x}>"  # type: ignore[attr-defined]


def make_function(index: int, function: Function, module: "Module") -> Callable[..., Any]:
    """Makes the attribute of a module for an exported function."""
    if not module.driver.isNumeric(index):
        return make_callable(function, module.driver.functionLane(index), module)
    made = NumericFunction(module.driver.numericLane(index))
    made.general = functools.partial(module.general, index)  # type: ignore[attr-defined]
    made.__doc__ = function.doc or None
    made.__name__ = made.__qualname__ = function.python  # type: ignore[attr-defined]
    made.__module__ = module.name
    return made


def make_callable(
    function: Function,
    lane: Callable[..., Any],
    module: "Module",
    owner: str = "",
    form: Form = "function",
    begin: Callable[..., None] | None = None,
) -> Callable[..., Any]:
    """Makes the Python function around a lane.

    Args:
        function: what it takes and gives.
        lane: the JavaScript function to call.
        module: the module that it belongs to.
        owner: the class that it is a member of.
        form: a method has a `self`, whose number goes to the lane first; a constructor hands its own to `begin`,
            with the number of the new object and the arguments.
        begin: see `form`.
    """
    name = f"{owner}.{function.python}" if owner else function.python
    place = owner if form == "constructor" else name
    params = function.params
    receive = receiver(function.result, module)
    bound = {
        "LANE": lane,
        "PLACE": place,
        "SUPERVISOR": module.supervisor,
        "RECEIVE": receive,
        "BEGIN": begin,
        **{f"SEND{at}": _sender(param, module, place) for at, param in enumerate(params)},
        **{f"PLACE{at}": f"{place}() argument {param.python!r}" for at, param in enumerate(params)},
    }
    call: Callable[..., Any] = _maker(function.is_async, form, receive is not None, *params)(**bound)
    qualified = f"{owner}.__init__" if form == "constructor" else name
    call.__name__ = qualified.rpartition(".")[2]
    call.__qualname__ = qualified
    call.__module__ = module.name
    call.__doc__ = function.doc or None
    named = call.__code__.replace(
        co_name=call.__name__, co_qualname=qualified, co_filename=f"{GENERATED}{module.name}.{place}>"
    )
    call.__code__ = unseen_code(named)
    if function.is_async:
        inspect.markcoroutinefunction(call)
    module.scope.annotate(call, function.annotations)
    return _with_all_names(call, function, form) if function.overloads else call


def _sender(param: Parameter, module: "Module", place: str) -> Callable[[Any], Any]:
    if param.rest:
        return item_sender(param.kind, module, place)
    return sender(param.kind, module, place, mutable=param.is_written)


@functools.lru_cache(maxsize=1000)
def _maker(is_async: bool, form: Form, has_receiver: bool, *params: Parameter) -> Callable[..., Any]:
    """What makes functions of some parameters: compiled once, because many functions have the same."""
    names = ["LANE", "PLACE", "SUPERVISOR", "RECEIVE", "BEGIN"]
    names += [f"{name}{at}" for at in range(len(params)) for name in ("SEND", "PLACE")]
    lines = _source(params, is_async=is_async, form=form, has_receiver=has_receiver)
    source = "\n".join([f"def make({', '.join(names)}):", *lines, "    return call"])
    scope: dict[str, Any] = {"BLAME": _blame, "HIDE": without_own_frames, **GLOBALS}
    exec(compile(source, f"{GENERATED}function>", "exec"), scope)
    make: Callable[..., Any] = scope["make"]
    return make


def _source(params: tuple[Parameter, ...], *, is_async: bool, form: Form, has_receiver: bool) -> Iterator[str]:
    """The lines of a function `call`."""
    heads = ["self"] * (form != "function") + [parameter_text(param.argument) for param in params]
    yield f"    def call({', '.join(heads)}):"
    indent = "        "
    if is_async:
        # The arguments belong to a generation: they are converted when there is one.
        yield f"{indent}def RUN():"
        indent += "    "
    for at, param in enumerate(params):
        yield from _conversion(at, param, indent)
    sent = [f"*V{at}" if param.rest else f"V{at}" for at, param in enumerate(params)]
    if form == "method":
        fresh = "self._rust_generation == SUPERVISOR.generation and not self._rust_fate"
        sent.insert(0, f"self._rust_id if {fresh} else self._live(PLACE)")
    result = f"LANE({', '.join(sent)})"
    if written := [at for at, param in enumerate(params) if param.is_written]:
        yield f"{indent}try:"
        yield f"{indent}    RESULT = {result}"
        yield f"{indent}finally:"
        yield from (f"{indent}    SEND{at}.after({params[at].python}, V{at})" for at in written)
        result = "RESULT"
    if is_async:
        yield f"{indent}return SUPERVISOR.started({result}, PLACE, RECEIVE)"
        yield "        return SUPERVISOR.when_ready(RUN, PLACE)"
    elif form == "constructor":
        given = [f"*{param.python}" if param.rest else param.python for param in params]
        yield f"{indent}BEGIN(self, {result}, ({''.join(f'{name}, ' for name in given)}))"
    elif not has_receiver:
        yield f"{indent}return {result}"
    else:
        yield f"{indent}try:"
        yield f"{indent}    return RECEIVE({result})"
        yield f"{indent}except ANYTHING as FAULT:"
        yield f"{indent}    HIDE(FAULT)"
        yield f"{indent}    raise"


def _conversion(at: int, param: Parameter, indent: str) -> Iterator[str]:
    """The lines that make `V0`, `V1`, … of the arguments."""
    name = param.python
    value = f"SEND{at}({name})"
    ready = READY.get(param.kind, "").format(name)
    if param.rest:
        value = f"[SEND{at}(ITEM) for ITEM in {name}]"
    elif ready or param.optional:
        absent = f"{name} is None" if param.optional else ""
        value = f"{name} if {' or '.join(filter(None, (absent, ready)))} else {value}"
    yield f"{indent}try:"
    yield f"{indent}    V{at} = {value}"
    yield f"{indent}except ANYTHING as FAULT:"
    yield f"{indent}    BLAME(FAULT, PLACE{at})"
    yield f"{indent}    raise"


def _with_all_names(call: Callable[..., Any], function: Function, form: Form) -> Callable[..., Any]:
    """The function, taking keywords by the names that each of its overloads has for them."""
    before = 0 if form == "function" else 1
    known = {param.python for param in function.params if not param.rest}

    def overloaded(*args: Any, **named: Any) -> Any:
        if not named.keys() <= known or function.params[-1].rest:
            given = _in_order(function.overloads, len(args) - before, named)
            if given is not None:
                return call(*args, *given)
        return call(*args, **named)

    functools.update_wrapper(overloaded, call)
    named = overloaded.__code__.replace(
        co_name=call.__name__, co_qualname=call.__qualname__, co_filename=call.__code__.co_filename
    )
    overloaded.__code__ = unseen_code(named)
    if function.is_async:
        inspect.markcoroutinefunction(overloaded)
    return overloaded


def _in_order(overloads: tuple[tuple[Argument, ...], ...], count: int, named: Mapping[str, Any]) -> list[Any] | None:
    """The values of keywords by their places behind `count` arguments, by the first overload that takes them all."""
    for way in overloads:
        open_ = [argument for argument in way[count:] if not argument.rest]
        names = [argument.name for argument in open_]
        missing = any(not (argument.has_default or argument.name in named) for argument in open_)
        if named.keys() <= set(names) and not missing:
            last = max(map(names.index, named), default=-1)
            return [named.get(name) for name in names[: last + 1]]
    return None


def _blame(error: BaseException, place: str) -> None:
    """Puts the function and the parameter before an error's message, and leaves out how it was found."""
    without_own_frames(error)
    if not isinstance(error, FAULTS):
        return
    if len(error.args) == 1:
        error.args = (f"{place}: {error.args[0]}",)
    else:
        error.add_note(f"in {place}")
