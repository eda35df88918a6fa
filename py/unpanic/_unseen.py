"""Functions that leave no line in a traceback, just as functions written in C leave none.

A wrong argument or a misspelt name is the fault of the user's line, so the traceback ends there. CPython adds a line
for every Python function that an exception leaves, unless the function's frame has not begun. A frame begins with its
first RESUME instruction, so the frame of a function without one never begins. The only other purpose of RESUME is to
look for signals, and the next call does that too.
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

# The versions in which this was tried. In others functions are left as they are, and one line stays in the traceback.
KNOWN = sys.implementation.name == "cpython" and (3, 12) <= sys.version_info < (3, 15)
RESUME, NOP = opcode.opmap.get("RESUME"), opcode.opmap["NOP"]


def unseen_code(code: types.CodeType) -> types.CodeType:
    """Returns code that leaves no line in tracebacks, as do the functions in it.

    Generators and coroutines stay as they are, because they can stop in the middle.
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
    """Decorates a function so that the traceback of its exceptions has no line of the function."""
    python_function = cast("types.FunctionType", function)
    python_function.__code__ = unseen_code(python_function.__code__)
    return function


def seamless[F: Callable[..., Any]](function: F) -> F:
    """Decorates a function so that the traceback of its exceptions has no line of unpanic at all."""

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
    """Takes unpanic's frames out of the traceback of an exception that flies through it, such as that of a callback."""
    link: BaseException | None = error
    for _ in range(10):  # causes and contexts, as far as anybody reads
        if link is None:
            break
        if not isinstance(link, UnpanicError):  # whose `__traceback__` leaves them out itself
            link.__traceback__ = merge(link.__traceback__)
        link = link.__cause__ or link.__context__
    return error
