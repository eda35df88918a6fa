"""Exported functions that take and return plain numbers.

Such a function is the JavaScript lane itself, in a `functools.partial`: a call crosses once, and no Python code runs.
The lane checks each number. It hands a call that it does not take to `NumericFunctions.decline`.
"""

import functools
import inspect
import types
from typing import Any, Self

from .._bridge.context import Context
from .._bridge.crashes import throw
from .._unseen import seamless, without_own_frames
from .description import Function
from .functions import FunctionMaker

__all__ = ["NumericFunction", "NumericFunctions"]


class NumericFunction(functools.partial):  # type: ignore[type-arg]
    """An exported function of plain numbers: Python hands its arguments straight to JavaScript.

    Everything else that Python asks of a function comes from one that converts. It is made when somebody asks for it,
    and also takes the calls that the lane declines.
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


class NumericFunctions:
    """The functions of a module that take and return plain numbers.

    Args:
        context: that of the module.
        functions: all functions of the module, in the order of the runtime's description.
        maker: makes the functions that convert.
    """

    def __init__(self, context: Context, functions: tuple[Function, ...], maker: FunctionMaker) -> None:
        self._context = context
        self._functions = functions
        self._maker = maker
        self._general: dict[int, Any] = {}
        # All functions with their lanes, where calls may have to make a detour.
        self._lanes: list[tuple[NumericFunction, Any]] = []
        if context.waits:
            context.detour = self._detour

    def make(self, index: int) -> NumericFunction:
        """Makes the attribute of the module for one of its functions."""
        function = self._functions[index]
        lane = self._context.driver.numericLane(index)
        numeric = NumericFunction(lane)
        if self._context.waits:
            self._lanes.append((numeric, lane))
        numeric.general = functools.partial(self.general, index)  # type: ignore[attr-defined]
        numeric.__doc__ = function.doc or None
        numeric.__name__ = numeric.__qualname__ = function.python  # type: ignore[attr-defined]
        numeric.__module__ = self._context.name
        return numeric

    def _detour(self) -> None:
        """Has calls come to Python, which can wait for the next instance. The first one that finds it ends that."""
        for numeric, _ in self._lanes:
            _lead(numeric, functools.partial(self._wait, numeric))

    @seamless
    def _wait(self, numeric: NumericFunction, /, *args: Any, **kwargs: Any) -> Any:
        self._context.supervisor.ensure_ready(numeric.__name__)  # type: ignore[attr-defined]
        for each, lane in self._lanes:
            _lead(each, lane)
        return numeric(*args, **kwargs)

    def general(self, index: int) -> Any:
        """The same function as one that converts."""
        if index not in self._general:
            lane = self._context.driver.functionLane(index)
            self._general[index] = self._maker.make(self._functions[index], lane)
            self._maker.settle()
        return self._general[index]

    def decline(self, place: int, names: str, *args: Any) -> Any:
        """Takes a call that the numeric lane did not take: converts the arguments, or says what is wrong with them.

        Args:
            place: which function, by its place in the description.
            names: those of the last arguments, which were given as keywords.
            args: all arguments.
        """
        try:
            # A text is no number, and refused as that even where Rust could not hold it.
            receive = self._context.untyped.receive
            values = [arg if isinstance(arg, str) else receive(arg) for arg in args]
            keywords = names.split(",") if names else []
            count = len(values) - len(keywords)
            return self.general(place)(*values[:count], **dict(zip(keywords, values[count:], strict=True)))
        except BaseException as error:
            return self._context.driver.refuse(throw(without_own_frames(error)))


def _lead(numeric: NumericFunction, target: Any) -> None:
    """Has the function call something else."""
    numeric.__setstate__((target, (), {}, vars(numeric)))  # type: ignore[attr-defined]
