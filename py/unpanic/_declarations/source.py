"""Pieces of Python source: annotations, docstrings, `type` statements."""

import json
import keyword
from typing import Literal

__all__ = [
    "Direction",
    "alternatives",
    "dictionary_of",
    "indented_docstring",
    "list_of",
    "literal_text",
    "may_be_attribute",
    "or_none",
    "quoted",
    "union_of",
    "wrapped",
]

# Whether a value goes into Rust or comes out of it.
type Direction = Literal["in", "out"]


def list_of(way: Direction, item: str) -> str:
    """Returns the annotation of a list."""
    return f"Sequence[{item}]" if way == "in" else f"list[{item}]"


def dictionary_of(way: Direction, key: str, value: str) -> str:
    """Returns the annotation of a dictionary."""
    return f"Mapping[{key}, {value}]" if way == "in" else f"dict[{key}, {value}]"


def may_be_attribute(key: str) -> bool:
    """Whether a key can be written as an attribute of a class, where Python would not mangle its name."""
    return key.isidentifier() and not keyword.iskeyword(key) and not key.startswith("__")


def literal_text(value: str | int | float | bool) -> str:
    """Returns a value as Python source."""
    return quoted(value) if isinstance(value, str) else repr(value)


def quoted(text: str) -> str:
    """Returns a string as Python source, in double quotes."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return repr(text)
    return json.dumps(text, ensure_ascii=False)


def alternatives(text: str) -> list[str]:
    """Returns the members of a union; a union inside of brackets stays whole."""
    members, depth, start, quote = [], 0, 0, False
    for index, character in enumerate(text):
        if character == '"' and text[index - 1] != "\\":
            quote = not quote
        elif quote:
            continue
        elif character in "[(":
            depth += 1
        elif character in "])":
            depth -= 1
        elif character == "|" and not depth:
            members.append(text[start:index].strip())
            start = index + 1
    return [*members, text[start:].strip()]


def union_of(texts: dict[str, None], literals: dict[str, None]) -> str:
    """Returns the text of a union.

    Args:
        texts: the members in their order, each once; "Literal" stands for all literals.
        literals: the literals in their order; one that another member includes is left out.
    """
    if "Any" in texts:
        return "Any"
    if "str" in texts:
        literals = {text: None for text in literals if not text.startswith('"')}
    if {"int", "float"} & texts.keys():
        literals = {text: None for text in literals if not text.lstrip("-").isdigit()}
    if "bool" in texts or {"True", "False"} <= literals.keys():
        texts = {("bool" if text == "Literal" and len(literals) == 2 else text): None for text in texts}
        if {"True", "False"} <= literals.keys():
            texts["bool"] = None
        literals = {text: None for text in literals if text not in ("True", "False")}
    if "float" in texts:
        texts.pop("int", None)
    last = ["None"] if "None" in texts else []
    members = [f"Literal[{', '.join(literals)}]" if text == "Literal" else text for text in texts if text != "None"]
    members = [text for text in members if text != "Literal[]"]
    if len(members) > 1 and "Never" in members:
        members.remove("Never")
    return " | ".join([*members, *last]) or "Never"


def or_none(text: str) -> str:
    """Returns the annotation of a value that may be absent."""
    return text if {"None", "Any", "object"} & {*alternatives(text)} else f"{text} | None"


def indented_docstring(doc: str, indent: str) -> list[str]:
    """Returns a comment as the lines of a docstring."""
    if not doc:
        return []
    lines = doc.replace("\\", "\\\\").replace('"""', '\\"\\"\\"').split("\n")
    if lines[-1].endswith('"'):
        lines[-1] += " "
    if len(lines) == 1:
        return [f'{indent}"""{lines[0]}"""']
    rest = [f"{indent}{line}" if line else "" for line in lines[1:]]
    return [f'{indent}"""{lines[0]}', *rest, f'{indent}"""']


def wrapped(head: str, text: str, width: int = 110) -> str:
    """Returns a `type` statement, on several lines if it is long."""
    if len(head) + len(text) <= width:
        return head + text
    lines = []
    for part in alternatives(text):
        if len(part) > width and part.startswith("Literal["):
            inner = part.removeprefix("Literal[").removesuffix("]")
            lines.append("Literal[\n        " + inner.replace('", ', '",\n        ') + ",\n    ]")
        else:
            lines.append(part)
    return f"{head}(\n    " + "\n    | ".join(lines) + "\n)"
