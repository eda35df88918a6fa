"""A parser of TypeScript's types, signatures and members; what it does not understand becomes `Other`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .model import (
    ANY,
    UNKNOWN,
    VOID,
    Alias,
    Array,
    Enum,
    Function,
    Intersection,
    Literal,
    Name,
    Object,
    Other,
    Parameter,
    Property,
    Signature,
    Tuple,
    Type,
    Union,
    substitute,
    substitute_parameters,
)
from .tokens import Tokens, plain_comment

__all__ = ["MOST_LEVELS", "Members", "Parser", "Unreadable"]

# What nests deeper is not read; the interpreter's own stack would end at about 150.
MOST_LEVELS = 40
MODIFIERS = frozenset(
    ("public", "private", "protected", "static", "readonly", "abstract", "declare", "override", "async", "get", "set")
)
HIDDEN = frozenset(("private", "protected"))
STRING = Name("string")


class Unreadable(Exception):
    """No type begins here."""


@dataclass
class Members:
    """What stands between the braces of a class, an interface or an object type."""

    constructors: list[Signature] = field(default_factory=list)
    calls: list[Signature] = field(default_factory=list)
    methods: list[Signature] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    index: Type | None = None

    def add(self, other: "Members") -> None:
        self.constructors += other.constructors
        self.methods += other.methods
        known = {found.name for found in self.properties}
        self.properties += [found for found in other.properties if found.name not in known]
        self.index = self.index or other.index

    def filled(self, types: Mapping[str, Type]) -> "Members":
        if not types:
            return self
        return Members(
            [_filled(found, types) for found in self.constructors],
            [_filled(found, types) for found in self.calls],
            [_filled(found, types) for found in self.methods],
            [replace(found, type=substitute(found.type, types)) for found in self.properties],
            substitute(self.index, types) if self.index else None,
        )

    def with_functions(self) -> "Members":
        """The same, with properties that are functions as methods."""
        methods = list(self.methods)
        properties = []
        for each in self.properties:
            if isinstance(each.type, Function) and not each.optional:
                methods.append(Signature(each.name, each.type.params, each.type.result, each.doc, each.static))
            else:
                properties.append(each)
        return Members(self.constructors, self.calls, methods, properties, self.index)

    def as_type(self) -> Type:
        if self.calls and not self.properties and not self.methods:
            return _callable(self.calls[0])
        if self.constructors and not self.properties and not self.methods:
            return Other("new () => object")
        methods = [Property(found.name, _callable(found), False, True, found.doc) for found in self.methods]
        return Object((*self.properties, *methods), self.index)


def _callable(signature: Signature) -> Function:
    return Function(signature.params, signature.result)


def _filled(signature: Signature, types: Mapping[str, Type]) -> Signature:
    params = substitute_parameters(signature.params, types)
    return replace(signature, params=params, result=substitute(signature.result, types))


class Parser:
    """A recursive descent over the tokens of one declaration or one type."""

    def __init__(self, text: str) -> None:
        self.tokens = Tokens.read(text)
        self.texts = self.tokens.texts
        self.kinds = self.tokens.kinds
        self.last = len(self.texts) - 1  # the end's own token
        self.at = 0
        self.levels = 0
        self.inferred: dict[str, Type] = {}

    # Steps.

    @property
    def text(self) -> str:
        return self.texts[self.at]

    @property
    def kind(self) -> str:
        return self.kinds[self.at]

    def ahead(self, count: int = 1) -> str:
        return self.texts[min(self.at + count, self.last)]

    def step(self) -> str:
        text = self.texts[self.at]
        self.at = min(self.at + 1, self.last)
        return text

    def take(self, text: str) -> bool:
        if self.texts[self.at] != text or self.kinds[self.at] == "string":
            return False
        self.step()
        return True

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise Unreadable(text)

    def closing(self) -> int:
        """The place of the bracket that closes the one here."""
        return self.tokens.closing.get(self.at, self.last)

    def written(self, start: int) -> str:
        """The text from a token up to here."""
        starts = self.tokens.starts
        return " ".join(self.tokens.source[starts[start] : starts[self.at]].split())

    # Declarations.

    def seek(self, *words: str) -> None:
        """Goes behind the first of these words."""
        while self.at < self.last:
            if self.step() in words:
                return

    def function(self, name: str, doc: str) -> Signature:
        self.seek("function")
        self.take("*")
        if self.kind == "word":
            self.step()
        return self.signature(name, doc, static=False)

    def alias(self, name: str, doc: str) -> Alias:
        self.seek("type")
        self.step()
        try:
            params = self.type_parameters()
            self.expect("=")
            return Alias(name, tuple(params), self.type(), doc)
        except (Unreadable, RecursionError):
            return Alias(name, (), Other(self.written(0)), doc)

    def constant(self) -> Type:
        self.seek("const", "let", "var")
        self.step()
        try:
            return self.type() if self.take(":") else ANY
        except (Unreadable, RecursionError):
            return ANY

    def constant_members(self) -> Members:
        """What stands in the braces of `const name: { … }`; nothing of another constant."""
        self.seek("const", "let", "var")
        self.step()
        if not (self.take(":") and self.text == "{"):
            return Members()
        try:
            return self.members()
        except (Unreadable, RecursionError):
            return Members()

    def constructed(self) -> Members:
        """Of `const Name: { new (…): { … } }` the class that it stands for."""
        statics = self.constant_members()
        if not statics.constructors or not isinstance(statics.constructors[0].result, Object):
            return Members()
        made = statics.constructors[0].result
        found = Members(statics.constructors, [], [replace(each, static=True) for each in statics.methods])
        for each in made.properties:
            if isinstance(each.type, Function) and each.readonly and not each.optional:
                found.methods.append(Signature(each.name, each.type.params, each.type.result, each.doc))
            else:
                found.properties.append(each)
        return found

    def enum(self, name: str, doc: str) -> Enum:
        self.seek("enum")
        self.step()
        members: list[tuple[str, int | str, str]] = []
        if not self.take("{"):
            return Enum(name, (), doc)
        following = 0
        while self.at < self.last and self.text != "}":
            comment = plain_comment(self.tokens.comments.get(self.at, ""))
            member = _unquoted(self.step())
            value: int | str = following
            if self.take("="):
                sign = -1 if self.take("-") else 1
                literal = _literal(self.kind, self.text)
                if isinstance(literal, int | float):
                    value = sign * int(literal)
                elif isinstance(literal, str):
                    value = literal
            if isinstance(value, int):
                following = value + 1
            members.append((member, value, comment))
            while self.at < self.last and self.text not in (",", "}"):
                self.skip()
            self.take(",")
        return Enum(name, tuple(members), doc)

    def body(self) -> tuple[tuple[str, ...], tuple[Type, ...], Members]:
        """Type parameters, what it extends, and the members of a class or an interface."""
        of_class = "class" in self.texts[:4]
        self.seek("class", "interface")
        self.step()
        extends: list[Type] = []
        params: dict[str, Type] = {}
        try:
            params = self.type_parameters()
            if self.take("extends"):
                extends.append(self.type())
                while self.take(","):
                    extends.append(self.type())
        except (Unreadable, RecursionError):
            pass
        while self.at < self.last and self.text != "{":
            self.step()
        try:
            return tuple(params), tuple(extends), self.members(of_class=of_class)
        except (Unreadable, RecursionError):
            return tuple(params), tuple(extends), Members()

    # Members.

    def members(self, *, of_class: bool = False) -> Members:
        """What stands in these braces; a member that cannot be read is left out."""
        found = Members()
        end = self.closing()
        self.expect("{")
        self.deeper()
        while self.at < end:
            start = self.at
            try:
                self.member(found, of_class)
            except Unreadable:
                self.at = max(self.at, start)
            self.end_member(start, end)
        self.levels -= 1
        self.at = end
        self.take("}")
        return found

    def end_member(self, start: int, end: int) -> None:
        """Goes to the next member, over what was not read of this one."""
        while self.at < end:
            if self.text in (";", ",") and self.kind == "mark":
                self.step()
                return
            if self.at > start and self.tokens.breaks[self.at]:
                return
            self.skip()

    def skip(self) -> None:
        """Goes over one token, or over brackets and what is in them."""
        self.at = self.tokens.closing.get(self.at, self.at)
        self.step()

    def member(self, found: Members, of_class: bool) -> None:
        doc = plain_comment(self.tokens.comments.get(self.at, ""))
        modifiers = set()
        while self.text in MODIFIERS and self.kind == "word" and not self.ends_name(1):
            modifiers.add(self.step())
        signed = self.text in ("+", "-") and self.ahead() == "readonly"
        if signed:
            self.at += 2
        static = "static" in modifiers
        if self.text in ("(", "<") and self.kind == "mark":
            found.calls.append(self.signature("", doc, static))
            return
        if self.text == "new" and self.ahead() in ("(", "<") and not of_class:
            self.step()
            found.constructors.append(self.signature("constructor", doc, static))
            return
        if self.text == "[" and self.kind == "mark" and self.index(found):
            return
        name = self.member_name()
        optional = self.take("?")
        self.take("!")
        hidden = bool(modifiers & HIDDEN) or name.startswith(("#", "["))
        is_function = self.text in ("(", "<") and self.kind == "mark"
        if is_function and "get" not in modifiers and "set" not in modifiers:
            signature = self.signature(name, doc, static)
            if hidden:
                return
            if name == "constructor":
                found.constructors.append(signature)
            elif optional:
                found.properties.append(Property(name, _callable(signature), True, True, doc, static))
            else:
                found.methods.append(signature)
            return
        if is_function:
            signature = self.signature(name, doc, static)
            setter = "set" in modifiers
            kind = signature.params[0].type if setter and signature.params else signature.result
            self.accessor(found, Property(name, kind, optional, not setter, doc, static), setter)
            return
        kind = self.type() if self.take(":") else ANY
        if not hidden:
            found.properties.append(Property(name, kind, optional, "readonly" in modifiers, doc, static))

    def accessor(self, found: Members, new: Property, setter: bool) -> None:
        """A getter and a setter are one property, of the type that the getter gives."""
        for index, old in enumerate(found.properties):
            if (old.name, old.static) == (new.name, new.static):
                kind = old.type if setter else new.type
                found.properties[index] = replace(old, type=kind, readonly=False, doc=old.doc or new.doc)
                return
        found.properties.append(new)

    def ends_name(self, count: int) -> bool:
        """Whether the token here is a member's name, going by the one after it."""
        return self.ahead(count) in ("(", "?", ":", ";", ",", "}", "<", "=", "!", "") and (
            self.kinds[min(self.at + count, self.last)] != "string"
        )

    def member_name(self) -> str:
        if self.kind in ("word", "number"):
            return self.step()
        if self.kind == "string":
            return _unquoted(self.step())
        start = self.at
        if self.text == "[":
            self.skip()
            return self.written(start)
        if self.text == "#":
            self.step()
            return "#" + self.step()
        raise Unreadable(self.text)

    def index(self, found: Members) -> bool:
        """`[key: string]: T` or the mapped type `[K in Keys]?: T`."""
        if self.ahead(2) not in (":", "in") or self.kinds[min(self.at + 1, self.last)] != "word":
            return False
        name = self.ahead()
        self.at = self.closing()
        self.take("]")
        if self.text in ("+", "-"):
            self.step()
        self.take("?")
        kind = self.type() if self.take(":") else ANY
        found.index = substitute(kind, {name: STRING})
        return True

    # Signatures.

    def signature(self, name: str, doc: str, static: bool) -> Signature:
        """From the type parameters to the result; a type parameter is as good as its bound."""
        try:
            bounds = self.type_parameters()
            params = self.parameters()
            result: Type = ANY
            if self.take(":"):
                result = self.type()
            found = Signature(name, params, result, doc, static)
        except Unreadable:
            return Signature(name, (Parameter("args", ANY, False, True),), ANY, doc, static)
        return _filled(found, bounds)

    def type_parameters(self) -> dict[str, Type]:
        """`<T extends Bound = Default>`: the names with their bounds."""
        bounds: dict[str, Type] = {}
        if not self.take("<"):
            return bounds
        while self.at < self.last and self.text != ">":
            for modifier in ("const", "in", "out"):
                if self.text == modifier and self.ahead() not in (",", ">", "extends", "="):
                    self.step()
            if self.kind != "word":
                raise Unreadable(self.text)
            name = self.step()
            bound: Type = UNKNOWN
            if self.take("extends"):
                bound = self.type()
            if self.take("="):
                self.type()
            bounds[name] = substitute(bound, {**bounds, name: UNKNOWN})
            if not self.take(","):
                break
        self.expect(">")
        return bounds

    def parameters(self) -> tuple[Parameter, ...]:
        end = self.closing()
        self.expect("(")
        found: list[Parameter] = []
        while self.at < end:
            start = self.at
            rest = self.take("...")
            if self.text in ("{", "["):
                self.skip()
                name = f"arg{len(found)}"
            else:
                name = self.step()
            optional = self.take("?")
            kind = self.type() if self.take(":") else ANY
            if self.take("="):
                optional = True
            if name != "this":
                found.append(Parameter(name, kind, optional, rest))
            while self.at < end and not self.take(","):
                self.skip()
            self.at = max(self.at, start + 1)
        self.at = end
        self.take(")")
        return tuple(found)

    # Types.

    def deeper(self) -> None:
        self.levels += 1
        if self.levels > MOST_LEVELS:
            raise Unreadable("nested too deeply")

    def type(self) -> Type:
        """A type, to where it ends."""
        start, levels = self.at, self.levels
        self.deeper()
        try:
            found = self.union()
            if self.text == "extends" and not self.tokens.breaks[self.at]:
                found = self.conditional(start, found)
        finally:
            self.levels = levels
        return found

    def conditional(self, start: int, checked: Type) -> Type:
        """`A extends B ? C : D` is C or D; where C is A, it is a B too."""
        saved = self.at
        self.step()
        bound = self.union()
        if not self.take("?"):
            self.at = saved
            return Other(self.written(start))
        first = substitute(self.type(), self.inferred)
        self.expect(":")
        among = (bound if first == checked else first, self.type())
        return Other(self.written(start), among)

    def union(self) -> Type:
        self.take("|")
        items = [self.intersection()]
        while self.take("|"):
            items.append(self.intersection())
        return items[0] if len(items) == 1 else Union(tuple(items))

    def intersection(self) -> Type:
        self.take("&")
        items = [self.postfix()]
        while self.take("&"):
            items.append(self.postfix())
        return items[0] if len(items) == 1 else Intersection(tuple(items))

    def postfix(self) -> Type:
        start = self.at
        found: Type = self.primary()
        while True:
            if self.text == "[" and not self.tokens.breaks[self.at]:
                if self.ahead() == "]":
                    self.at += 2
                    found = Array(found)
                else:
                    self.skip()
                    found = Other(self.written(start))
            elif self.text in ("!", "=") and self.kind == "mark" and self.ahead() == "":
                self.step()  # JSDoc
            else:
                return found

    def primary(self) -> Type:
        """What stands alone or in brackets."""
        start, kind, text = self.at, self.kind, self.text
        if kind in ("string", "number"):
            self.step()
            if text.startswith("`"):
                return STRING if "${" not in text else Other(text, (STRING,))
            value = _literal(kind, text)
            return STRING if value is None else Literal(value)
        if kind == "word":
            return self.word()
        if text == "-" and self.kinds[min(start + 1, self.last)] == "number":
            self.step()
            value = _literal("number", self.step())
            return Literal(-value) if isinstance(value, int | float) else Name("number")
        if text in ("?", "!") and self.at < self.last:  # JSDoc: nullable, not nullable
            self.step()
            inner = self.postfix()
            return Union((inner, Name("null"))) if text == "?" else inner
        if text == "*":
            self.step()
            return ANY
        if text == "...":
            self.step()
            return Array(self.postfix())
        if text == "<":
            return self.function_type()
        if text == "(":
            end = self.closing()
            if self.texts[min(end + 1, self.last)] == "=>":
                return self.function_type()
            self.step()
            found = self.type()
            self.at = end
            self.expect(")")
            return found
        if text == "[":
            return self.places()
        if text == "{":
            return self.members().as_type()
        raise Unreadable(text)

    def function_type(self) -> Type:
        bounds = self.type_parameters()
        params = self.parameters()
        self.expect("=>")
        return substitute(Function(params, self.type()), bounds)

    def places(self) -> Type:
        end = self.closing()
        self.step()
        items: list[Type] = []
        while self.at < end:
            start = self.at
            rest, optional = self.take("..."), False
            if self.kind == "word" and (self.ahead() == ":" or (self.ahead() == "?" and self.ahead(2) == ":")):
                self.step()
                optional = self.take("?")
                self.step()
            item = self.type()
            if self.take("?") or optional:
                item = Union((item, Name("undefined")))
            items.append(item.item if rest and isinstance(item, Array) else item)
            while self.at < end and not self.take(","):
                self.skip()
            self.at = max(self.at, start + 1)
        self.at = end
        self.take("]")
        return Tuple(tuple(items))

    def word(self) -> Type:
        """A name, or what a keyword begins."""
        start, text = self.at, self.step()
        alone = self.kind not in ("word", "string") and self.text not in ("{", "[", "(", "`")
        if text in ("true", "false"):
            return Literal(text == "true")
        if text in ("keyof", "unique", "typeof", "infer", "readonly", "asserts", "abstract") and not (
            alone and self.text != "<"
        ):
            return self.operator(start, text)
        if text == "new" and self.text in ("(", "<"):
            self.function_type()
            return Other(self.written(start))
        if text == "import" and self.text == "(":
            self.skip()
            while self.take("."):
                self.step()
            self.arguments()
            return Other(self.written(start))
        if text == "function" and self.text == "(":  # JSDoc, as Closure has it
            self.skip()
            self.take(":")
            return Name("Function")
        if self.text == "is" and self.kind == "word" and not self.tokens.breaks[self.at]:
            self.step()
            self.type()
            return Name("boolean")
        while self.text == "." and self.kinds[min(self.at + 1, self.last)] == "word":
            self.step()
            text += "." + self.step()
        return self.named(text, self.arguments())

    def operator(self, start: int, text: str) -> Type:
        if text == "readonly":
            return self.postfix()
        if text == "asserts":
            self.type()
            return VOID
        if text == "abstract":
            return self.primary()
        if text == "infer":
            self.inferred[self.step()] = ANY
            return Other(self.written(start))
        if text == "typeof":
            name = self.step()
            while self.take("."):
                name += "." + self.step()
            self.arguments()
            return Other(f"typeof {name}")
        self.postfix()
        return Other(self.written(start), (STRING,) if text == "keyof" else ())

    def arguments(self) -> tuple[Type, ...]:
        """`<A, B>` behind a name."""
        self.take(".")  # JSDoc: Array.<string>
        if self.text != "<" or self.tokens.breaks[self.at]:
            return ()
        self.step()
        found: list[Type] = []
        while self.at < self.last and self.text != ">":
            found.append(self.type())
            if not self.take(","):
                break
        self.expect(">")
        return tuple(found)

    def named(self, name: str, args: tuple[Type, ...]) -> Type:
        if name in ("Array", "ReadonlyArray") and len(args) == 1:
            return Array(args[0])
        return Name(name, args)


def _unquoted(text: str) -> str:
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


def _literal(kind: str, text: str) -> str | int | float | None:
    if kind == "string":
        return _unquoted(text)
    if kind != "number":
        return None
    try:
        return int(text.rstrip("n"), 0)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None
