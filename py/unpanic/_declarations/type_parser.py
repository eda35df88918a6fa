"""The grammar of TypeScript's types; a type that Python has no words for becomes `Other`.

JSDoc writes some types in its own way, and the comments of glue have JSDoc: the grammar takes these forms too.
"""

from .cursor import Cursor, Unreadable
from .model import (
    ANY,
    UNKNOWN,
    VOID,
    Array,
    Function,
    Intersection,
    Literal,
    Name,
    Other,
    Parameter,
    Tuple,
    Type,
    Union,
    substitute,
)
from .tokens import literal_value

__all__ = ["STRING", "TypeParser"]

STRING = Name("string")


class TypeParser(Cursor):
    """A recursive descent over the tokens of a type. Each method reads from the place here to where its part ends."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        # The names that `infer` introduces.
        self.inferred: dict[str, Type] = {}

    def object_type(self) -> Type:
        """Reads the braces of an object type; members have a grammar of their own."""
        raise NotImplementedError

    def type(self) -> Type:
        """Reads a type.

        Raises:
            Unreadable: no type begins here, or it is nested too deeply.
        """
        start, levels = self.at, self.levels
        self.deeper()
        try:
            type_ = self.union()
            if self.text == "extends" and not self.tokens.breaks[self.at]:
                type_ = self.conditional(start, type_)
        finally:
            self.levels = levels
        return type_

    def conditional(self, start: int, checked: Type) -> Type:
        """Reads `A extends B ? C : D`, which is C or D; if C is A, it is a B too."""
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
        """Reads a type with the brackets behind it: `A[]`, `A["key"]`."""
        start = self.at
        type_: Type = self.primary()
        while True:
            if self.text == "[" and not self.tokens.breaks[self.at]:
                if self.ahead() == "]":
                    self.at += 2
                    type_ = Array(type_)
                else:
                    self.skip()
                    type_ = Other(self.written(start))
            elif self.text in ("!", "=") and self.kind == "mark" and self.ahead() == "":
                self.step()  # JSDoc: not nullable, optional
            else:
                return type_

    def primary(self) -> Type:
        """Reads a type that stands alone or in brackets."""
        if self.kind in ("string", "number"):
            return self.literal()
        if self.kind == "word":
            return self.word()
        match self.text:
            case "-" if self.kind_ahead() == "number":
                self.step()
                value = literal_value("number", self.step())
                return Literal(-value) if isinstance(value, int | float) else Name("number")
            case "?" | "!" | "*" | "..." if self.at < self.last:
                return self.jsdoc_type(self.step())
            case "<":
                return self.function_type()
            case "(":
                return self.parenthesized()
            case "[":
                return self.tuple_type()
            case "{":
                return self.object_type()
        raise Unreadable(self.text)

    def literal(self) -> Type:
        kind, text = self.kind, self.step()
        if text.startswith("`"):
            return STRING if "${" not in text else Other(text, (STRING,))
        value = literal_value(kind, text)
        return STRING if value is None else Literal(value)

    def jsdoc_type(self, mark: str) -> Type:
        """Reads a type behind a mark of JSDoc: nullable, not nullable, any type, a rest parameter."""
        if mark == "*":
            return ANY
        type_ = self.postfix()
        if mark == "?":
            return Union((type_, Name("null")))
        return Array(type_) if mark == "..." else type_

    def parenthesized(self) -> Type:
        end = self.closing()
        if self.texts[min(end + 1, self.last)] == "=>":
            return self.function_type()
        self.step()
        type_ = self.type()
        self.at = end
        self.expect(")")
        return type_

    def function_type(self) -> Type:
        bounds = self.type_parameters()
        params = self.parameters()
        self.expect("=>")
        return substitute(Function(params, self.type()), bounds)

    def tuple_type(self) -> Type:
        """Reads `[A, name: B, C?, ...D[]]`."""
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
        """Reads a name, or a type that begins with a keyword."""
        start, text = self.at, self.step()
        is_alone = self.kind not in ("word", "string") and self.text not in ("{", "[", "(", "`")
        if text in ("true", "false"):
            return Literal(text == "true")
        if text in ("keyof", "unique", "typeof", "infer", "readonly", "asserts", "abstract") and not (
            is_alone and self.text != "<"
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
        if text == "function" and self.text == "(":  # JSDoc, in the form of the Closure compiler
            self.skip()
            self.take(":")
            return Name("Function")
        if self.text == "is" and self.kind == "word" and not self.tokens.breaks[self.at]:
            self.step()
            self.type()
            return Name("boolean")
        while self.text == "." and self.kind_ahead() == "word":
            self.step()
            text += "." + self.step()
        args = self.arguments()
        return Array(args[0]) if text in ("Array", "ReadonlyArray") and len(args) == 1 else Name(text, args)

    def operator(self, start: int, text: str) -> Type:
        """Reads the operand of a keyword such as `keyof`, which has been read."""
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
        """Reads the type arguments `<A, B>` behind a name, if there are any."""
        self.take(".")  # JSDoc: Array.<string>
        if self.text != "<" or self.tokens.breaks[self.at]:
            return ()
        self.step()
        types: list[Type] = []
        while self.at < self.last and self.text != ">":
            types.append(self.type())
            if not self.take(","):
                break
        self.expect(">")
        return tuple(types)

    # Parameters.

    def type_parameters(self) -> dict[str, Type]:
        """Reads `<T extends Bound = Default>`; returns the names with their bounds."""
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
        """Reads the parameters of a function, in their parentheses."""
        end = self.closing()
        self.expect("(")
        params: list[Parameter] = []
        while self.at < end:
            start = self.at
            rest = self.take("...")
            if self.text in ("{", "["):
                self.skip()
                name = f"arg{len(params)}"
            else:
                name = self.step()
            optional = self.take("?")
            type_ = self.type() if self.take(":") else ANY
            if self.take("="):
                optional = True
            if name != "this":
                params.append(Parameter(name, type_, optional, rest))
            while self.at < end and not self.take(","):
                self.skip()
            self.at = max(self.at, start + 1)
        self.at = end
        self.take(")")
        return tuple(params)
