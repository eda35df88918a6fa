"""The parameters of a function in Python: their names and order, which may be left out, and which takes the rest.

This file alone decides it, from the same declarations for the functions that run and for their stubs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import zip_longest

from .model import ANY, Name, Parameter, PlainParameters, Signature, Type, Union
from .naming import parameter_names

__all__ = ["Argument", "arguments", "awaited", "in_python", "is_promise", "joined", "parameter_text"]

PROMISES = ("Promise", "PromiseLike")


@dataclass(frozen=True)
class Argument:
    """A parameter of a Python function."""

    name: str
    has_default: bool
    rest: bool


def arguments(signature: Signature) -> tuple[Argument, ...]:
    """Returns the parameters of a declared function as Python has them; see `in_python`.

    A parameter that takes any value may be left out: JavaScript then passes `undefined`.
    """
    return in_python(tuple((param.name, _may_be_left_out(param), param.rest) for param in signature.params))


def _may_be_left_out(param: Parameter) -> bool:
    return param.optional or param.type == ANY


@lru_cache(maxsize=1000)
def in_python(params: PlainParameters) -> tuple[Argument, ...]:
    """Returns the parameters of a function as Python has them.

    A parameter that may be left out has a default. JavaScript allows a required one after it; then it has no default.

    Args:
        params: the name of each parameter, whether it may be left out, and whether it takes the rest.

    Example:
        >>> in_python((("toSQL", False, False), ("limit", True, False)))
        (Argument('to_sql', False, False), Argument('limit', True, False))
    """
    names = parameter_names(name for name, _, _ in params)
    last = max((at for at, (_, optional, rest) in enumerate(params) if not (optional or rest)), default=-1)
    return tuple(
        Argument(name, optional and not rest and at > last, rest)
        for at, (name, (_, optional, rest)) in enumerate(zip(names, params, strict=True))
    )


def parameter_text(argument: Argument, annotation: str = "") -> str:
    """Returns the text of a parameter in a `def`."""
    text = f"{'*' * argument.rest}{argument.name}"
    if annotation:
        return f"{text}: {annotation}{' = None' * argument.has_default}"
    return f"{text}{'=None' * argument.has_default}"


def joined(overloads: Sequence[Signature]) -> Signature | None:
    """Returns one signature that takes the arguments of every overload; the first overload gives the names."""
    if len(overloads) <= 1:
        return overloads[0] if overloads else None
    params: list[Parameter] = []
    for places in zip_longest(*(signature.params for signature in overloads)):
        here = [param for param in places if param is not None]
        rest = next((param for param in here if param.rest), None)
        optional = len(here) < len(overloads) or any(map(_may_be_left_out, here))
        params.append(Parameter(here[0].name, _any_of([param.type for param in here]), optional, rest is not None))
        if rest is not None:
            # The rest takes the arguments that other overloads have here and after it.
            params[-1] = rest if len(here) == 1 else Parameter(rest.name, ANY, False, True)
            break
    first = overloads[0]
    results = [signature.result for signature in overloads]
    if all(map(is_promise, results)):
        result: Type = Name("Promise", (_any_of([awaited(result) or ANY for result in results]),))
    else:
        result = _any_of(results)
    doc = next((signature.doc for signature in overloads if signature.doc), "")
    return Signature(first.name, tuple(params), result, doc, first.static)


def _any_of(types: Iterable[Type]) -> Type:
    different = tuple(dict.fromkeys(types))
    return different[0] if len(different) == 1 else Union(different)


def is_promise(type_: Type | None) -> bool:
    """Whether Python awaits a result of this type."""
    return isinstance(type_, Name) and type_.name in PROMISES


def awaited(type_: Type | None) -> Type | None:
    """Returns the type that `await` gives for a promise; another type as it is."""
    if isinstance(type_, Name) and type_.name in PROMISES:
        return type_.args[0] if type_.args else None
    return type_
