"""Functions that leave no line in a traceback, as those written in C leave none.

A wrong argument or a misspelt name is the fault of the user's line, so the traceback ends there. Whatever a Python
function does about an exception, CPython adds a line for it when the exception leaves it; only a frame that has not
begun gets none. A frame begins with its first instruction RESUME, so a function without it never does. All else that
RESUME is for is to look for signals, which the next call does too.
"""

import functools
import opcode
import sys
import types
from collections.abc import Callable
from typing import Any, cast

from ._traceback import merge
from .errors import UnpanicError

__all__ = ["seamless", "unseen", "unseen_code", "without_own_frames"]

# Where that was tried: in another version functions are as they are, and one line is left.
KNOWN = sys.implementation.name == "cpython" and (3, 12) <= sys.version_info < (3, 15)
RESUME, NOP = opcode.opmap.get("RESUME"), opcode.opmap["NOP"]


def unseen_code(code: types.CodeType) -> types.CodeType:
    """The same code, and the functions in it, without a line in tracebacks.

    What runs as a generator or a coroutine is left alone: it can stop in the middle.
    """
    constants = tuple(unseen_code(part) if isinstance(part, types.CodeType) else part for part in code.co_consts)
    code = code.replace(co_consts=constants)
    if not KNOWN or code.co_flags & (0x20 | 0x80 | 0x200):  # CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR
        return code
    instructions = bytearray(code.co_code)
    for at in range(0, len(instructions), 2):
        if instructions[at] == RESUME:
            instructions[at : at + 2] = NOP, 0
    return code.replace(co_code=bytes(instructions))


def unseen[F: Callable[..., Any]](function: F) -> F:
    """A decorator: what the function raises shows no line of it."""
    made = cast("types.FunctionType", function)
    made.__code__ = unseen_code(made.__code__)
    return function


def seamless[F: Callable[..., Any]](function: F) -> F:
    """A decorator: what the function raises shows no line of unpanic at all."""

    @unseen
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            without_own_frames(error)
            raise

    return cast("F", call)


def without_own_frames(error: BaseException) -> BaseException:
    """What flies through unpanic, without the frames of that: what a callback raised, what a parameter refuses."""
    found: BaseException | None = error
    for _ in range(10):  # what led to it, as far as anybody reads
        if found is None:
            break
        if not isinstance(found, UnpanicError):  # which does it when it is looked at
            found.__traceback__ = merge(found.__traceback__)
        found = found.__cause__ or found.__context__
    return error
