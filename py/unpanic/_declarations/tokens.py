"""TypeScript text as tokens, and the cheap scan that finds its top-level declarations.

Any text gives tokens: a comment or a string without an end goes to the end of the text, and every other character is a
token of its own.
"""

import re
from dataclasses import dataclass

__all__ = ["COMMENTS", "Chunk", "Tokens", "literal_value", "plain_comment", "split", "unquoted"]

COMMENT = r"/\*.*?(?:\*/|\Z)|//[^\n]*"
STRING = r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"?|\'[^\'\\\n]*(?:\\.[^\'\\\n]*)*\'?|`[^`\\]*(?:\\.[^`\\]*)*`?'
WORD = r"[^\W\d][\w$]*|\$[\w$]*"
OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {closing: opening for opening, closing in OPENING.items()}

TOKEN = re.compile(
    rf"(?P<space>\s+)|(?P<comment>{COMMENT})|(?P<string>{STRING})|(?P<word>{WORD})"
    r"|(?P<number>\d[\w.]*)|(?P<mark>=>|\.\.\.|.)",
    re.DOTALL,
)
# Between declarations words matter, because a declaration may begin with one. Inside of a declaration only those tokens
# matter on which its end depends (`INSIDE`).
OUTSIDE = re.compile(rf"(?P<comment>{COMMENT})|(?P<string>{STRING})|(?P<word>{WORD})|(?P<mark>[^\s\w$])", re.DOTALL)
COMMENTS = re.compile(COMMENT, re.DOTALL)
INSIDE = re.compile(rf"{COMMENT}|{STRING}|[()\[\]{{}}]", re.DOTALL)

STAR = re.compile(r"^\s*\*+ ?")

BEGINS = frozenset((
    "export", "declare", "abstract", "import", "type", "interface", "class", "function", "enum", "const", "let", "var",
    "namespace", "module", "global",
))  # fmt: skip
HEADER = re.compile(
    r"(?P<export>export\b\s*)?(?P<default>default\b\s*)?(?:declare\b\s*)?(?:abstract\b\s*|async\b\s*)?"
    r"(?:(?P<kind>const\s+enum|class|interface|type|enum|function|const|let|var|namespace|module|global)\b\s*)?"
    rf"(?P<name>{WORD})?"
)


@dataclass(frozen=True)
class Chunk:
    """One top-level declaration that was not read yet."""

    kind: str
    name: str
    text: str
    comment: str
    exported: bool


@dataclass
class Tokens:
    """The tokens of a text. Comments are not among them; each belongs to the token after it."""

    source: str
    kinds: list[str]
    texts: list[str]
    starts: list[int]
    breaks: list[bool]  # whether a new line is before the token
    comments: dict[int, str]
    closing: dict[int, int]  # the places of brackets, from the opening one to its counterpart

    @classmethod
    def read(cls, source: str) -> "Tokens":
        """Splits a text into tokens."""
        tokens = cls(source, [], [], [], [], {}, {})
        open_brackets: list[int] = []
        broken = False
        for match in TOKEN.finditer(source):
            kind, text = match.lastgroup or "", match.group()
            index = len(tokens.kinds)
            if kind == "space":
                broken = broken or "\n" in text
                continue
            if kind == "comment":
                if text.startswith("/**"):
                    tokens.comments[index] = text
                broken = broken or text.startswith("//") or "\n" in text
                continue
            tokens.kinds.append(kind)
            tokens.texts.append(text)
            tokens.starts.append(match.start())
            tokens.breaks.append(broken)
            broken = False
            if kind == "mark" and text in OPENING:
                open_brackets.append(index)
            elif kind == "mark" and text in CLOSING:
                # A bracket without a counterpart ends where the one around it ends.
                while open_brackets:
                    opening = open_brackets.pop()
                    tokens.closing[opening] = index
                    if tokens.texts[opening] == CLOSING[text]:
                        break
        for opening in open_brackets:
            tokens.closing[opening] = len(tokens.kinds)
        tokens.kinds.append("end")
        tokens.texts.append("")
        tokens.starts.append(len(source))
        tokens.breaks.append(True)
        return tokens


def split(source: str) -> list[Chunk]:
    """Finds the top-level declarations of a text, without reading them."""
    starts: list[tuple[int, str]] = []  # where a declaration begins, and the comment before it
    comment = ""
    previous, end, position = ";", 0, 0
    while match := OUTSIDE.search(source, position):
        position = match.end()
        text = match.group()
        if match.lastgroup == "comment":
            # If there are several comments, the last one counts, provided that it is documentation.
            if text.startswith("/**"):
                comment = text
            continue
        if text in BEGINS and _may_begin(previous) and (previous in ";}" or "\n" in source[end : match.start()]):
            starts.append((match.start(), comment))
        if text in OPENING:
            position = _after_brackets(source, position)
            text = OPENING[text]
        comment = ""
        previous, end = text, position
    stops = [start for start, _ in starts[1:]] + [len(source)]
    return [_chunk(source[start:stop], comment) for (start, comment), stop in zip(starts, stops, strict=False)]


def _may_begin(previous: str) -> bool:
    """Whether a statement can end with this token."""
    return previous in ";})]>" or previous[0] in "\"'`" or (previous[0].isalnum() or previous[0] in "_$")


def _after_brackets(source: str, position: int) -> int:
    """Returns the place behind the brackets that begin just before `position`."""
    depth = 1
    for match in INSIDE.finditer(source, position):
        text = match.group()
        if text in OPENING:
            depth += 1
        elif text in CLOSING:
            depth -= 1
            if not depth:
                return match.end()
    return len(source)


def _chunk(text: str, comment: str) -> Chunk:
    header = HEADER.match(text)
    assert header is not None  # all of it is optional
    kind, name = header["kind"] or "", header["name"] or ""
    if kind in ("namespace", "module", "global"):
        kind, name = "namespace", name or kind
    if header["default"] and kind != "class":
        name = "default"
    return Chunk(" ".join(kind.split()), name, text, comment, bool(header["export"]))


def plain_comment(comment: str) -> str:
    """Returns the text of a `/** … */` comment, without its stars and its indentation."""
    text = comment.removeprefix("/**").removesuffix("*/")
    lines = (STAR.sub("", line) if line.lstrip().startswith("*") else line.strip() for line in text.split("\n"))
    return "\n".join(line.rstrip() for line in lines).strip("\n ")


def unquoted(text: str) -> str:
    """Returns the value of a string token; the text of another token as it is."""
    if text[:1] not in ("'", '"', "`"):
        return text
    text = text[1:-1] if len(text) > 1 and text[-1] == text[0] else text[1:]
    if "\\" not in text:
        return text
    out, escaped = [], False
    for character in text:
        if escaped:
            out.append({"n": "\n", "t": "\t", "r": "\r"}.get(character, character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            out.append(character)
    return "".join(out)


def literal_value(kind: str, text: str) -> str | int | float | None:
    """Returns the value of a string or a number token; None for another token."""
    if kind == "string":
        return unquoted(text)
    if kind != "number":
        return None
    try:
        return int(text.rstrip("n"), 0)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None
