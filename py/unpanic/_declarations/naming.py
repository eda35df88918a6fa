"""The Python names, as PEP 8 asks for them, of things that have a name in JavaScript."""

import keyword
import re
from collections import Counter
from collections.abc import Collection, Iterable

__all__ = ["class_name", "enum_members", "member_name", "parameter_names", "python_name", "python_names"]

# The beginning of a word: in fooBar, in HTTPServer (but not in URLs), and behind a number in 8Array and 64URL (but not
# in 3D).
BOUNDARY = re.compile(
    r"(?<=[^\W\dA-Z_])(?=[A-Z])"
    r"|(?<=[A-Z])(?=[A-Z](?!s(?![a-z]))[a-z])"
    r"|(?<=\d)(?=[A-Z][A-Za-z])(?!D(?![a-z]))"
)
RESERVED_IN_JAVASCRIPT = frozenset((
    "arguments", "await", "break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete", "do",
    "else", "enum", "eval", "export", "extends", "false", "finally", "for", "function", "if", "implements", "import",
    "in", "instanceof", "interface", "let", "new", "null", "package", "private", "protected", "public", "return",
    "static", "super", "switch", "this", "throw", "true", "try", "typeof", "var", "void", "while", "with", "yield",
))  # fmt: skip
NOT_IDENTIFIER = re.compile(r"\W")


def python_name(name: str) -> str:
    """Returns the PEP 8 name of a function, a method, a property or a parameter.

    Acronyms are one word, numbers stay with what is before them, and keywords get an underscore.

    Example:
        >>> python_name("prqlToSQL"), python_name("toU8Array"), python_name("class")
        ('prql_to_sql', 'to_u8_array', 'class_')
    """
    return _identifier(BOUNDARY.sub("_", name).lower())


def python_names(names: Collection[str], others: Collection[str] = ()) -> dict[str, str]:
    """Returns the Python name of each exported name.

    If two names would become the same in Python, or one would become the name of another export, they stay as they are.

    Args:
        names: the names as they are exported.
        others: the names of the other exports.
    """
    candidates = {name: python_name(name) for name in names}
    count = Counter(candidates.values())
    unique = {name: python if count[python] == 1 else _identifier(name) for name, python in candidates.items()}
    taken = {*names, *others}
    return {name: name if python in taken else python for name, python in unique.items()}


def parameter_names(names: Iterable[str]) -> list[str]:
    """Returns the Python name of each parameter; no name comes twice, and none is `self`."""
    unique: list[str] = []
    for name in map(_parameter_name, names):
        while name == "self" or name in unique:
            name += "_"
        unique.append(name)
    return unique


def _parameter_name(name: str) -> str:
    # wasm-bindgen puts an underscore before a word that JavaScript reserves.
    return python_name(name[1:] if name[:1] == "_" and name[1:] in RESERVED_IN_JAVASCRIPT else name)


def class_name(name: str) -> str:
    """Returns the Python name of a class or an enum: as it is exported, unless Python reserves it."""
    return _identifier(name)


def member_name(name: str) -> str:
    """Returns the Python name of a member of an enum of integers: as it is exported, unless Python reserves it."""
    name = _identifier(name)
    return f"{name}_" if name == "mro" else name


def enum_members(values: Collection[str]) -> dict[str, str]:
    """Returns the members of an enum of strings: the values by their names, which are the values in PascalCase.

    Example:
        >>> enum_members(["fast", "extra-large", "2d", "none"])
        {'Fast': 'fast', 'ExtraLarge': 'extra-large', '_2d': '2d', 'None_': 'none'}
    """
    members: dict[str, str] = {}
    for value in values:
        words = re.split(r"[\W_]+", value)
        name = member_name("".join(word[:1].upper() + word[1:] for word in words) or "Empty")
        number = 2
        unique = name
        while unique in members:
            unique, number = f"{name}_{number}", number + 1
        members[unique] = value
    return members


def _identifier(name: str) -> str:
    name = NOT_IDENTIFIER.sub("_", name)  # JavaScript's $
    if not name or not (name[0].isidentifier()):
        name = f"_{name}"
    return f"{name}_" if keyword.iskeyword(name) else name
