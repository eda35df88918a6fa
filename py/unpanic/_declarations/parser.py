"""The grammar of declarations: functions, aliases, constants, enums, classes and interfaces.

It has four layers: `cursor` moves over tokens, `type_parser` reads types, `member_parser` reads members, and this file
reads whole declarations. A declaration that ends in the middle is what came before.
"""

from dataclasses import replace

from .cursor import Unreadable
from .member_parser import MemberParser
from .members import Members
from .model import ANY, Alias, Enum, Function, Object, Other, Signature, Type
from .tokens import literal_value, plain_comment, unquoted

__all__ = ["Parser"]


class Parser(MemberParser):
    """Reads the text of one declaration or one type."""

    def function(self, name: str, doc: str) -> Signature:
        """Reads `function name(…): …`."""
        self.seek("function")
        self.take("*")
        if self.kind == "word":
            self.step()
        return self.signature(name, doc, static=False)

    def alias(self, name: str, doc: str) -> Alias:
        """Reads `type Name = …`."""
        self.seek("type")
        self.step()
        try:
            params = self.type_parameters()
            self.expect("=")
            return Alias(name, tuple(params), self.type(), doc)
        except (Unreadable, RecursionError):
            return Alias(name, (), Other(self.written(0)), doc)

    def constant(self) -> Type:
        """Reads `const name: …`; returns its type."""
        self.seek("const", "let", "var")
        self.step()
        try:
            return self.type() if self.take(":") else ANY
        except (Unreadable, RecursionError):
            return ANY

    def constant_members(self) -> Members:
        """Reads the braces of `const name: { … }`; returns no members for another constant."""
        self.seek("const", "let", "var")
        self.step()
        if not (self.take(":") and self.text == "{"):
            return Members()
        try:
            return self.members()
        except (Unreadable, RecursionError):
            return Members()

    def constructed(self) -> Members:
        """Reads `const Name: { new (…): { … } }`; returns the members of the class that it stands for."""
        statics = self.constant_members()
        if not statics.constructors or not isinstance(statics.constructors[0].result, Object):
            return Members()
        instance = statics.constructors[0].result
        members = Members(statics.constructors, [], [replace(each, static=True) for each in statics.methods])
        for each in instance.properties:
            if isinstance(each.type, Function) and each.readonly and not each.optional:
                members.methods.append(Signature(each.name, each.type.params, each.type.result, each.doc))
            else:
                members.properties.append(each)
        return members

    def enum(self, name: str, doc: str) -> Enum:
        """Reads `enum Name { … }`."""
        self.seek("enum")
        self.step()
        members: list[tuple[str, int | str, str]] = []
        if not self.take("{"):
            return Enum(name, (), doc)
        following = 0
        while self.at < self.last and self.text != "}":
            comment = plain_comment(self.tokens.comments.get(self.at, ""))
            member = unquoted(self.step())
            value = self.enum_value(following)
            if isinstance(value, int):
                following = value + 1
            members.append((member, value, comment))
            while self.at < self.last and self.text not in (",", "}"):
                self.skip()
            self.take(",")
        return Enum(name, tuple(members), doc)

    def enum_value(self, following: int) -> int | str:
        """Reads `= value` behind a member; without one, or if it is no literal, the value is `following`."""
        if not self.take("="):
            return following
        sign = -1 if self.take("-") else 1
        literal = literal_value(self.kind, self.text)
        if isinstance(literal, int | float):
            return sign * int(literal)
        return literal if isinstance(literal, str) else following

    def body(self) -> tuple[tuple[str, ...], tuple[Type, ...], Members]:
        """Reads a class or an interface; returns its type parameters, the types that it extends, and its members."""
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
