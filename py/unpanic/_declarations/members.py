"""The members of a class, an interface or an object type, as they are read."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .model import Function, Object, Other, Property, Signature, Type, substitute, substitute_parameters

__all__ = ["Members", "as_function", "with_types"]


@dataclass
class Members:
    """The declarations between the braces of a class, an interface or an object type."""

    constructors: list[Signature] = field(default_factory=list)
    calls: list[Signature] = field(default_factory=list)
    methods: list[Signature] = field(default_factory=list)
    properties: list[Property] = field(default_factory=list)
    index: Type | None = None

    def add(self, other: "Members") -> None:
        """Adds the members of another declaration of the same name."""
        self.constructors += other.constructors
        self.methods += other.methods
        names = {each.name for each in self.properties}
        self.properties += [each for each in other.properties if each.name not in names]
        self.index = self.index or other.index

    def filled(self, types: Mapping[str, Type]) -> "Members":
        """Returns the members with types in place of type parameters."""
        if not types:
            return self
        return Members(
            [with_types(each, types) for each in self.constructors],
            [with_types(each, types) for each in self.calls],
            [with_types(each, types) for each in self.methods],
            [replace(each, type=substitute(each.type, types)) for each in self.properties],
            substitute(self.index, types) if self.index else None,
        )

    def with_functions(self) -> "Members":
        """Returns the members with properties that are functions as methods."""
        methods = list(self.methods)
        properties = []
        for each in self.properties:
            if isinstance(each.type, Function) and not each.optional:
                methods.append(Signature(each.name, each.type.params, each.type.result, each.doc, each.static))
            else:
                properties.append(each)
        return Members(self.constructors, self.calls, methods, properties, self.index)

    def as_type(self) -> Type:
        """Returns the object type that has these members."""
        if self.calls and not self.properties and not self.methods:
            return as_function(self.calls[0])
        if self.constructors and not self.properties and not self.methods:
            return Other("new () => object")
        methods = [Property(each.name, as_function(each), False, True, each.doc) for each in self.methods]
        return Object((*self.properties, *methods), self.index)


def as_function(signature: Signature) -> Function:
    """Returns a signature as the type of a function that is a value."""
    return Function(signature.params, signature.result)


def with_types(signature: Signature, types: Mapping[str, Type]) -> Signature:
    """Returns a signature with types in place of type parameters."""
    params = substitute_parameters(signature.params, types)
    return replace(signature, params=params, result=substitute(signature.result, types))
