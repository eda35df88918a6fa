"""Comments of Rust and JavaScript as Python docstrings.

wasm-bindgen copies the `///` comment of Rust before an export and adds its own `@param` and `@returns` tags with types.
Authors write such tags too, with texts. If a tag comes twice, the last one gives the type and the first one the text.
"""

import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Comment", "docstring", "read_comment"]

STARS = re.compile(r"^[ \t]*\*?[ \t]?", re.MULTILINE)
TAG = re.compile(r"^[ \t]*@(\w+)[ \t]*", re.MULTILINE)
NAME = re.compile(r"\s*(\[?)\s*(?:\.\.\.)?([\w$]+)(?:\s*=[^\]]*)?\]?(?:\s*[-–—:])?\s*")  # noqa: RUF001 - authors' dashes
LINK = re.compile(r"\{@link(?:code|plain)?\s+([^\s|}]+)(?:\s*\|\s*|\s+)?([^}]*)\}")
FENCE = re.compile(r"^([ \t]*)```[^\n]*\n(.*?)^[ \t]*```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass
class Tagged:
    """A parameter or a result, as tags describe it."""

    type: str = ""
    text: str = ""
    optional: bool = False


@dataclass
class Comment:
    """A comment, split into its text and its tags."""

    text: str = ""
    params: dict[str, Tagged] = field(default_factory=dict)
    returns: Tagged = field(default_factory=Tagged)
    throws: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.text or self.returns.text or self.throws or any(tag.text for tag in self.params.values()))


def read_comment(raw: str) -> Comment:
    """Reads a comment; `raw` is the text between `/*` and `*/`, with or without the stars of its lines."""
    text = STARS.sub("", raw).strip() if raw.startswith("*") else raw.strip()
    if "@" not in text:
        return Comment(text)
    marks = [mark for mark in TAG.finditer(text) if not _in_fence(text, mark.start())]
    comment = Comment(text[: marks[0].start()].strip() if marks else text)
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    for mark, end in zip(marks, ends, strict=False):
        _read_tag(comment, mark[1], text[mark.end() : end].strip())
    return comment


def _in_fence(text: str, position: int) -> bool:
    return "```" in text and any(fence.start() < position < fence.end() for fence in FENCE.finditer(text))


def _read_tag(comment: Comment, tag: str, body: str) -> None:
    type_, text = _braced(body)
    type_ = type_.removeprefix("...")
    if tag in ("param", "arg", "argument"):
        name = NAME.match(text)
        if name is None:
            return
        param = comment.params.setdefault(name[2], Tagged())
        param.optional = param.optional or bool(name[1])
        _add(param, type_, text[name.end() :])
    elif tag in ("returns", "return"):
        _add(comment.returns, type_, re.sub(r"^\s*[-–—]\s+", "", text))  # noqa: RUF001 - authors' dashes
    elif tag in ("throws", "exception"):
        comment.throws.append(_one_line(text))
    elif tag in ("deprecated", "example", "see", "since"):
        comment.notes.append(f"{tag.capitalize()}:\n{textwrap.indent(textwrap.dedent(body), '    ')}")


def _add(tagged: Tagged, type_: str, text: str) -> None:
    # The last type is the one that wasm-bindgen wrote.
    tagged.type = type_ or tagged.type
    tagged.text = tagged.text or _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _braced(text: str) -> tuple[str, str]:
    """Splits `{type} rest`; types may hold braces."""
    if not text.startswith("{"):
        return "", text
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "{") - (character == "}")
        if depth == 0:
            return text[1:index].strip(), text[index + 1 :]
    return "", text


def docstring(comment: Comment, names: Mapping[str, str]) -> str:
    """Returns a comment as a docstring, in Google's style.

    Args:
        comment: the comment, from `read_comment`.
        names: the Python name of each parameter.
    """
    params = [(names.get(name, name), tag.text) for name, tag in comment.params.items() if tag.text]
    sections = [comment.text]
    if params:
        sections.append("Args:\n" + "\n".join(_item(f"{name}: {text}") for name, text in params))
    if comment.returns.text:
        sections.append("Returns:\n" + _item(comment.returns.text))
    if comment.throws:
        sections.append("Raises:\n" + "\n".join(_item(f"RustError: {text}".rstrip(": ")) for text in comment.throws))
    sections += comment.notes
    return _readable("\n\n".join(section for section in sections if section))


def _item(text: str) -> str:
    return textwrap.fill(text, 88, initial_indent="    ", subsequent_indent="        ", break_on_hyphens=False)


def _readable(text: str) -> str:
    """Returns a text with Markdown's fences as indented blocks, and links as the names to which they point."""
    if "```" in text:
        text = FENCE.sub(lambda fence: textwrap.indent(textwrap.dedent(fence[2]), f"{fence[1]}    ").rstrip(), text)
    return LINK.sub(lambda link: link[2].strip() or link[1], text) if "{@link" in text else text
