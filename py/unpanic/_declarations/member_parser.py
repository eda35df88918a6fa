"""The grammar of members: signatures, and the braces of classes, interfaces and object types."""

from dataclasses import replace

from .cursor import Unreadable
from .members import Members, as_function, with_types
from .model import ANY, Parameter, Property, Signature, Type, substitute
from .tokens import plain_comment, unquoted
from .type_parser import STRING, TypeParser

__all__ = ["MemberParser"]

MODIFIERS = frozenset(
    ("public", "private", "protected", "static", "readonly", "abstract", "declare", "override", "async", "get", "set")
)
HIDDEN = frozenset(("private", "protected"))


class MemberParser(TypeParser):
    """Reads signatures and members, which object types have too."""

    def object_type(self) -> Type:
        """Reads the braces of an object type."""
        return self.members().as_type()

    def signature(self, name: str, doc: str, static: bool) -> Signature:
        """Reads a signature from its type parameters to its result; bounds take the place of type parameters."""
        try:
            bounds = self.type_parameters()
            params = self.parameters()
            result: Type = ANY
            if self.take(":"):
                result = self.type()
            signature = Signature(name, params, result, doc, static)
        except Unreadable:
            return Signature(name, (Parameter("args", ANY, False, True),), ANY, doc, static)
        return with_types(signature, bounds)

    def members(self, *, of_class: bool = False) -> Members:
        """Reads the braces here; a member that cannot be read is left out."""
        members = Members()
        end = self.closing()
        self.expect("{")
        self.deeper()
        while self.at < end:
            start = self.at
            try:
                self.member(members, of_class)
            except Unreadable:
                self.at = max(self.at, start)
            self.end_member(start, end)
        self.levels -= 1
        self.at = end
        self.take("}")
        return members

    def end_member(self, start: int, end: int) -> None:
        """Goes to the next member, over the rest of this one that was not read."""
        while self.at < end:
            if self.text in (";", ",") and self.kind == "mark":
                self.step()
                return
            if self.at > start and self.tokens.breaks[self.at]:
                return
            self.skip()

    def member(self, members: Members, of_class: bool) -> None:
        """Reads one member, and adds it."""
        doc = plain_comment(self.tokens.comments.get(self.at, ""))
        modifiers = self.modifiers()
        static = "static" in modifiers
        if self.begins_parameters():
            members.calls.append(self.signature("", doc, static))
        elif self.text == "new" and self.ahead() in ("(", "<") and not of_class:
            self.step()
            members.constructors.append(self.signature("constructor", doc, static))
        elif not (self.text == "[" and self.kind == "mark" and self.index(members)):
            self.named_member(members, doc, modifiers)

    def modifiers(self) -> set[str]:
        modifiers = set()
        while self.text in MODIFIERS and self.kind == "word" and not self.ends_name(1):
            modifiers.add(self.step())
        if self.text in ("+", "-") and self.ahead() == "readonly":
            self.at += 2
        return modifiers

    def begins_parameters(self) -> bool:
        return self.text in ("(", "<") and self.kind == "mark"

    def named_member(self, members: Members, doc: str, modifiers: set[str]) -> None:
        """Reads a member from its name on: a method, an accessor or a property."""
        static = "static" in modifiers
        name = self.member_name()
        optional = self.take("?")
        self.take("!")
        is_hidden = bool(modifiers & HIDDEN) or name.startswith(("#", "["))
        if not self.begins_parameters():
            type_ = self.type() if self.take(":") else ANY
            if not is_hidden:
                members.properties.append(Property(name, type_, optional, "readonly" in modifiers, doc, static))
            return
        signature = self.signature(name, doc, static)
        if modifiers & {"get", "set"}:
            is_setter = "set" in modifiers
            type_ = signature.params[0].type if is_setter and signature.params else signature.result
            self.accessor(members, Property(name, type_, optional, not is_setter, doc, static), is_setter)
        elif is_hidden:
            return
        elif name == "constructor":
            members.constructors.append(signature)
        elif optional:
            members.properties.append(Property(name, as_function(signature), True, True, doc, static))
        else:
            members.methods.append(signature)

    def accessor(self, members: Members, new: Property, is_setter: bool) -> None:
        """Adds a getter or a setter. Both are one property, of the type that the getter returns."""
        for index, old in enumerate(members.properties):
            if (old.name, old.static) == (new.name, new.static):
                type_ = old.type if is_setter else new.type
                members.properties[index] = replace(old, type=type_, readonly=False, doc=old.doc or new.doc)
                return
        members.properties.append(new)

    def ends_name(self, count: int) -> bool:
        """Whether the token here is a member's name, going by the one after it."""
        return self.ahead(count) in ("(", "?", ":", ";", ",", "}", "<", "=", "!", "") and (
            self.kind_ahead(count) != "string"
        )

    def member_name(self) -> str:
        """Reads the name of a member; a private one keeps its `#`, a computed one its brackets."""
        if self.kind in ("word", "number"):
            return self.step()
        if self.kind == "string":
            return unquoted(self.step())
        start = self.at
        if self.text == "[":
            self.skip()
            return self.written(start)
        if self.text == "#":
            self.step()
            return "#" + self.step()
        raise Unreadable(self.text)

    def index(self, members: Members) -> bool:
        """Reads `[key: string]: T` or the mapped type `[K in Keys]?: T`; returns whether one of them is here."""
        if self.ahead(2) not in (":", "in") or self.kind_ahead() != "word":
            return False
        name = self.ahead()
        self.at = self.closing()
        self.take("]")
        if self.text in ("+", "-"):
            self.step()
        self.take("?")
        type_ = self.type() if self.take(":") else ANY
        members.index = substitute(type_, {name: STRING})
        return True
