"""The source text of the Python functions around lanes.

In the text, names in capitals are unpanic's, which no parameter is called by: a parameter may be called `type` or
`str`. `V0`, `V1`, … are the converted arguments, `SELF` is the handle of a method's object, `LANE` the JavaScript
function, and `PLACE` what is called, for messages. An argument for a parameter of an exported class becomes a handle.
"""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Literal

from .._bridge import kinds
from .._bridge.kinds import RANGES
from .._declarations.signatures import parameter_text
from .._recovery.states import NONE
from .._values.handles import CURRENT, HANDLE
from .._values.numbers import SURELY_FITS
from .description import Parameter

__all__ = ["Form", "wrapper_source"]

type Form = Literal["function", "method", "constructor"]

# Tests for the commonest values of a kind: these go in as they are, and no sender is called.
READY = {
    kinds.STRING: f"TYPE({{0}}) is STR and {{0}}.isascii() and LEN({{0}}) < {SURELY_FITS}",
    kinds.FLOAT: "TYPE({0}) is FLOAT",
    kinds.BOOL: "{0} is True or {0} is False",
} | {name: f"TYPE({{0}}) is INT and {low} <= {{0}} <= {high}" for name, (low, high, _) in RANGES.items()}


def wrapper_source(
    params: tuple[Parameter, ...], *, is_async: bool, form: Form, has_receiver: bool, waits: bool = False
) -> Iterator[str]:
    """The lines of a function `call`, which converts its arguments and hands them to the lane.

    Args:
        params: its parameters.
        is_async: whether it returns a future.
        form: see `FunctionMaker.make`.
        has_receiver: whether the result has to be converted.
        waits: whether the next instance may be on its way when a call comes.
    """
    heads = ["self"] * (form != "function") + [parameter_text(param.argument) for param in params]
    yield f"    def call({', '.join(heads)}):"
    indent = "        "
    if is_async:
        # The arguments belong to a generation: they are converted when there is one.
        yield f"{indent}def RUN():"
        indent += "    "
    for at, param in enumerate(params):
        yield from _conversion(at, param, indent)
    if form == "method":
        yield f"{indent}SELF = self.{HANDLE}"
    call = _Call(params, has_self=form == "method")
    if is_async:
        lines = [*call.lines("return ARGUMENTS.start(LANE, RECEIVE)")]
        lines += [f"return SUPERVISOR.started(LANE({call.sent}), PLACE, RECEIVE)"]
        yield from _hiding(lines, indent, hide=call.may_refuse)
        yield "        return SUPERVISOR.when_ready(RUN, PLACE)"
        return
    receiving = _receiving(params, form, has_receiver=has_receiver)
    # An object is found to be gone while there is no instance, so a method waits by itself.
    waiting = [f"if SUPERVISOR.generation == {NONE}: SUPERVISOR.ensure_ready(PLACE)"] * (waits and form != "method")
    lines = [*waiting, *call.lines(_slow_call(receiving)), f"return {receiving.format(f'LANE({call.sent})')}"]
    yield from _hiding(lines, indent, hide=has_receiver or call.may_refuse or bool(waiting))


def _receiving(params: tuple[Parameter, ...], form: Form, *, has_receiver: bool) -> str:
    """The source that receives a result, as a format string with a place for it."""
    if form == "constructor":
        made_with = [f"*{param.python}" if param.rest else param.python for param in params]
        return f"BEGIN(self, {{}}, ({''.join(f'{name}, ' for name in made_with)}))"
    return "RECEIVE({})" if has_receiver else "{}"


def _slow_call(receiving: str) -> str:
    """A call with drafts among its arguments; `receiving` is what is done with its result."""
    # The call stands here and not in a function of unpanic's, which would have a line in a traceback.
    return f"""\
try:
    RESULT = LANE(*ARGUMENTS.values)
except ANYTHING as ERROR:
    ARGUMENTS.failed(ERROR)
    raise
RESULT = {receiving.format("ARGUMENTS.returned(RESULT)")}
return ARGUMENTS.ended(RESULT)"""


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
    """How `SELF`, `V0`, `V1`, … go to the lane. Without a draft and without an object that is gone they go at once.

    Attributes:
        sent: the lane's arguments.
        may_refuse: whether Python may raise something on the way: that an object is gone, for one.
    """

    def __init__(self, params: tuple[Parameter, ...], *, has_self: bool) -> None:
        single = [at for at, param in enumerate(params) if param.kind.name == kinds.OBJECT and not param.rest]
        self._handles = [*(["SELF"] if has_self else []), *(f"V{at}" for at in single)]
        self._optional = {f"V{at}" for at in single if params[at].optional}
        self._lists = [f"V{at}" for at, param in enumerate(params) if param.rest and not _is_simple(param)]
        self._drafts = [f"V{at}" for at, param in enumerate(params) if param.may_be_draft and not param.rest]
        self._converted = ["SELF"] if has_self else []
        self._converted += [f"*V{at}" if param.rest else f"V{at}" for at, param in enumerate(params)]
        # One object alone may be made again in its place: nothing comes after it.
        self._is_simple = len(self._handles) < 2 and not self._lists and not self._drafts
        self.may_refuse = bool(self._handles) or not self._is_simple
        self.sent = ", ".join(self._sent(name) for name in self._converted)

    def _sent(self, name: str) -> str:
        """The source of the value that the lane gets for a converted argument."""
        if name not in self._handles:
            return name
        number = f"{name}.id"
        if self._is_simple:
            number = f"({number} if {CURRENT.format(name)} else {name}.live(PLACE))"
        return f"(None if {name} is None else {number})" if name in self._optional else number

    def lines(self, slow: str) -> Iterator[str]:
        """The lines for drafts, and for objects that have to be made again; `slow` makes the call then."""
        if self._is_simple:
            return
        drafted = [f"ISINSTANCE({name}, DRAFT)" for name in self._drafts]
        gone = [f"{self._unless_none(name)}not ({CURRENT.format(name)})" for name in self._handles]
        yield f"if {' or '.join([*drafted, *gone, *self._lists])}:"
        yield f"    ARGUMENTS = MAKE_ARGUMENTS(CONTEXT, PLACE, ({''.join(map(self._draft, self._converted))}))"
        yield from textwrap.indent(slow, "    ").splitlines()

    def _draft(self, name: str) -> str:
        """A converted argument as `Arguments` takes it, with a comma."""
        if name not in self._handles:
            return f"{name}, "
        return f"None if {name} is None else OWNED({name}), " if name in self._optional else f"OWNED({name}), "

    def _unless_none(self, name: str) -> str:
        return f"{name} is not None and " if name in self._optional else ""


def _is_simple(param: Parameter) -> bool:
    return not (param.may_be_draft or param.kind.name == kinds.OBJECT)


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
