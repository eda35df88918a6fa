"""Which numbers of a signature are integers and which are floats.

TypeScript's `number` is an integer or a float in Rust. The Wasm type of a parameter tells which it is, once it is known
which values of the Wasm signature the parameter stands for.
"""

from collections.abc import Iterator, Sequence

from unpanic._bridge import kinds
from unpanic._bridge.kinds import Kind
from unpanic._declarations.model import Array, Literal, Name, Other, Parameter, Type, Union
from unpanic._declarations.resolve import is_optional, may_be_absent

from .wasm import WasmSignature

__all__ = ["parameter_kinds", "result_kind"]

# A signature with more ways to be read than this is given up.
MOST_CHOICES = 4_000


def parameter_kinds(
    params: Sequence[Parameter], signature: WasmSignature | None, *, method: bool, own: frozenset[str] = frozenset()
) -> list[Kind | None]:
    """Returns the kind of each parameter: `i32` or `float` for a number, None if the kind is not known.

    Args:
        params: the parameters as TypeScript declares them.
        signature: the signature of the Wasm file's export.
        method: whether the object is the first value of the signature.
        own: the classes and enums of the module, whose values are one integer each.
    """
    names: list[set[str]] = [set() for _ in params]
    slots = signature.params if signature else ()
    # An address for the result may come before everything else.
    fits: list[tuple[int, list[Slots]]] = []
    for first in (int(method), int(method) + 1):
        if not fits and slots[:first] == ("i32",) * first:
            fits = list(_fits(params, slots[first:], own, [MOST_CHOICES]))
    least = min((rare for rare, _ in fits), default=0)
    for choice in (choice for rare, choice in fits if rare == least):
        for possible, param, taken in zip(names, params, choice, strict=True):
            possible.add(_number_kind(param, taken))
    return [
        Kind(*possible) if len(possible) == 1 and _is_number(param.type) else None
        for param, possible in zip(params, names, strict=True)
    ]


def _number_kind(param: Parameter, taken: tuple[str, ...]) -> str:
    if taken == ("f64",) and is_optional(param):
        return kinds.I32  # an integer that is left out crosses as a float that is no 32-bit integer
    return kinds.FLOAT if taken[-1] in ("f32", "f64") else kinds.I32


def result_kind(result: Type, signature: WasmSignature | None) -> Kind | None:
    """Returns `i32` or `float` for a number, None if the kind is not known."""
    if signature is None or not signature.results or not _is_number(result):
        return None
    results = signature.results
    if may_be_absent(result):
        # An absent 32-bit integer crosses as a float that is no such integer. An absent float has a flag before it.
        if results[0] == "f64":
            return Kind(kinds.I32)
        return Kind(kinds.FLOAT) if len(results) > 1 and results[1] in ("f32", "f64") else None
    return Kind(kinds.FLOAT if results[0] in ("f32", "f64") else kinds.I32)


type Slots = tuple[str, ...]


def _fits(
    params: Sequence[Parameter], slots: Slots, own: frozenset[str], budget: list[int]
) -> Iterator[tuple[int, list[Slots]]]:
    """Yields the ways to spread all slots over the parameters, each with the number of rare patterns in it."""
    if not params:
        if not slots:
            yield 0, []
        return
    usual, rare = _patterns(params[0], own)
    for pattern in (*usual, *rare):
        budget[0] -= 1
        if budget[0] < 0:
            return
        if slots[: len(pattern)] == pattern:
            for count, rest in _fits(params[1:], slots[len(pattern) :], own, budget):
                yield count + (pattern in rare), [pattern, *rest]


def _patterns(param: Parameter, own: frozenset[str]) -> tuple[list[Slots], list[Slots]]:
    """Returns the Wasm types that a parameter usually has, and those that it rarely has."""
    optional = is_optional(param)
    one, two, ref = ("i32",), ("i32", "i32"), ("ref",)
    flag: Slots = one if optional else ()
    match _plain(param.type):
        case Name("number"):
            plain: list[Slots] = [(*flag, "i32"), (*flag, "f64"), (*flag, "f32")]
            return ([*plain, ("f64",)] if optional else plain), []
        case Name("bigint"):
            return [(*flag, "i64"), (*flag, "i64", "i64")], [(*flag, *two)]
        case Name("boolean") | Literal(bool()):
            return [one], []
        case Name("string"):
            return [two], [one, ref]  # a char, a JavaScript string
        case Name(name) if name in own:
            return [one], []
        case Name(name) if name.endswith("Array"):
            return [two], [(*two, "i32"), (*two, "ref"), one, ref]  # a mutable slice, a JavaScript array
        case Array():
            return [two], [one, ref]
        case _:
            return [ref, one], [two]  # a JavaScript value; a string with a type of its own


def _plain(type_: Type) -> Type:
    """Returns a type without undefined and null."""
    if isinstance(type_, Union):
        items = [item for item in type_.items if item not in (Name("undefined"), Name("null"))]
        return items[0] if len(items) == 1 else Union(tuple(items))
    if isinstance(type_, Other) and len(type_.among) == 1:
        return type_.among[0]
    return type_


def _is_number(type_: Type) -> bool:
    return _plain(type_) == Name("number")
