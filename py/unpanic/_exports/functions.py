"""Exported functions as Python callables.

A function that takes and gives plain numbers is the JavaScript lane itself, in a `functools.partial`: a call crosses
once and no Python code runs. Every other one is a Python function around its lane, from source text that is made for
its parameters, as `dataclasses` does: so signatures, keywords, defaults and Python's own words for wrong calls come by
themselves, and what is converted, is so without a loop.
"""

import functools
import inspect
import textwrap
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self

from .._bridge import kinds
from .._bridge.kinds import RANGES
from .._declarations.signatures import Argument, parameter_text
from .._unseen import unseen_code, without_own_frames
from .._values.drafts import Arguments, Draft, Owned
from .._values.numbers import SURELY_FITS
from .._values.receivers import make_receiver
from .._values.senders import make_item_sender, make_sender
from .description import Function, Parameter

if TYPE_CHECKING:
    from .module import Module

__all__ = ["GENERATED", "NumericFunction", "make_callable", "make_function"]

type Form = Literal["function", "method", "constructor"]

# How the names of files begin that generated functions say they are in.
GENERATED = "<unpanic "
# Senders raise these for what a parameter does not take; what else comes out of them is of the user's own methods.
FAULTS = (TypeError, OverflowError, ValueError)
# What generated functions say in capitals, which no parameter does: it may be called `type` or `str`.
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
# What the commonest values of a kind look like: they go in as they are, and no sender is called.
READY = {
    kinds.STRING: f"TYPE({{0}}) is STR and {{0}}.isascii() and LEN({{0}}) < {SURELY_FITS}",
    kinds.FLOAT: "TYPE({0}) is FLOAT",
    kinds.BOOL: "{0} is True or {0} is False",
} | {name: f"TYPE({{0}}) is INT and {low} <= {{0}} <= {high}" for name, (low, high, _) in RANGES.items()}


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
    receive = make_receiver(function.result, module)
    bound = {
        "LANE": lane,
        "PLACE": place,
        "MODULE": module,
        "SUPERVISOR": module.supervisor,
        "RECEIVE": receive,
        "BEGIN": begin,
        **{
            f"SEND{at}": (make_item_sender if param.rest else make_sender)(param, module)
            for at, param in enumerate(params)
        },
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


@functools.lru_cache(maxsize=1000)
def _maker(is_async: bool, form: Form, has_receiver: bool, *params: Parameter) -> Callable[..., Any]:
    """What makes functions of some parameters: compiled once, because many functions have the same."""
    names = ["LANE", "PLACE", "MODULE", "SUPERVISOR", "RECEIVE", "BEGIN"]
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
    call = _Call(params, has_self=form == "method")
    result = f"LANE({call.sent})"
    if is_async:
        lines = [*call.lines("return ARGUMENTS.start(LANE, RECEIVE)")]
        lines += [f"return SUPERVISOR.started({result}, PLACE, RECEIVE)"]
        yield from _hiding(lines, indent, hide=call.may_refuse)
        yield "        return SUPERVISOR.when_ready(RUN, PLACE)"
        return
    ended = "RECEIVE({})" if has_receiver else "{}"
    if form == "constructor":
        given = [f"*{param.python}" if param.rest else param.python for param in params]
        ended = f"BEGIN(self, {{}}, ({''.join(f'{name}, ' for name in given)}))"
    # The call stands here and not in a function of unpanic's, which would have a line in a traceback.
    slow = f"""\
try:
    RESULT = LANE(*ARGUMENTS.values)
except ANYTHING as ERROR:
    ARGUMENTS.failed(ERROR)
    raise
RESULT = {ended.format("ARGUMENTS.returned(RESULT)")}
return ARGUMENTS.ended(RESULT)"""
    lines = [*call.lines(slow), f"return {ended.format(result)}"]
    yield from _hiding(lines, indent, hide=has_receiver or call.may_refuse)


def _hiding(lines: Iterable[str], indent: str, *, hide: bool) -> Iterator[str]:
    """The lines; if it shall `hide`, what they raise shows no frame of unpanic's."""
    if not hide:
        yield from (f"{indent}{line}" for line in lines)
        return
    yield f"{indent}try:"
    yield from (f"{indent}    {line}" for line in lines)
    yield f"{indent}except ANYTHING as FAULT:"
    yield f"{indent}    HIDE(FAULT)"
    yield f"{indent}    raise"


class _Call:
    """How `V0`, `V1`, … go to the lane. What has no draft and no object that could be gone goes there at once.

    Attributes:
        sent: the lane's arguments.
        may_refuse: whether Python may raise something on the way: that an object is gone, for one.
    """

    def __init__(self, params: tuple[Parameter, ...], *, has_self: bool) -> None:
        single = [at for at, param in enumerate(params) if param.kind.name == kinds.OBJECT and not param.rest]
        self._objects = [*(["self"] if has_self else []), *(f"V{at}" for at in single)]
        self._optional = {f"V{at}" for at in single if params[at].optional}
        self._lists = [f"V{at}" for at, param in enumerate(params) if param.rest and not _is_simple(param)]
        self._drafts = [f"V{at}" for at, param in enumerate(params) if param.may_be_draft and not param.rest]
        self._given = ["self"] if has_self else []
        self._given += [f"*V{at}" if param.rest else f"V{at}" for at, param in enumerate(params)]
        # One object alone may be made again in its place: nothing comes after it.
        self._is_simple = len(self._objects) < 2 and not self._lists and not self._drafts
        self.may_refuse = bool(self._objects) or not self._is_simple
        numbers = {name: f"{name}._rust_id" for name in self._objects}
        if self._is_simple:
            numbers = {
                name: f"({number} if {_fresh(name)} else {name}._live(PLACE))" for name, number in numbers.items()
            }
        numbers |= {name: f"(None if {name} is None else {numbers[name]})" for name in self._optional}
        self.sent = ", ".join(numbers.get(name, name) for name in self._given)

    def lines(self, slow: str) -> Iterator[str]:
        """The lines for drafts, and for objects that have to be made again; `slow` makes the call then."""
        if self._is_simple:
            return
        missing = {name: f"{name} is not None and " for name in self._optional}
        gone = [f"{missing.get(name, '')}not ({_fresh(name)})" for name in self._objects]
        drafted = [f"ISINSTANCE({name}, DRAFT)" for name in self._drafts]
        owned = {name: f"OWNED({name})" for name in self._objects}
        owned |= {name: f"None if {name} is None else OWNED({name})" for name in self._optional}
        given = "".join(f"{owned.get(name, name)}, " for name in self._given)
        yield f"if {' or '.join([*drafted, *gone, *self._lists])}:"
        yield f"    ARGUMENTS = MAKE_ARGUMENTS(MODULE, PLACE, ({given}))"
        yield from textwrap.indent(slow, "    ").splitlines()


def _is_simple(param: Parameter) -> bool:
    return not (param.may_be_draft or param.kind.name == kinds.OBJECT)


def _fresh(name: str) -> str:
    return f"{name}._rust_generation == SUPERVISOR.generation and not {name}._rust_fate"


def _conversion(at: int, param: Parameter, indent: str) -> Iterator[str]:
    """The lines that make `V0`, `V1`, … of the arguments."""
    name = param.python
    value = f"SEND{at}({name})"
    ready = READY.get(param.kind.name, "").format(name)
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
