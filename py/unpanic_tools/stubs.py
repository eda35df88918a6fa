"""Stubs: the exports of a Rust module as a `.pyi` file, for type checkers and editors."""

import keyword
import re
from collections.abc import Sequence

from unpanic._declarations.annotations import NAMES, Annotator
from unpanic._declarations.docs import docstring, read_comment
from unpanic._declarations.model import ANY, Array, Class, Enum, Name, Property, Signature, Type, Union
from unpanic._declarations.naming import class_name, enum_members, member_name, python_names
from unpanic._declarations.reader import INTERNAL_TYPES, read
from unpanic._declarations.resolve import without_absence
from unpanic._declarations.signatures import arguments, is_promise, parameter_text
from unpanic._declarations.source import indented_docstring, or_none, quoted

from .beside import Beside, string_enums
from .numbers import parameter_kinds, result_kind
from .wasm import Signatures, WasmSignature

__all__ = ["NotDeclarations", "make_stub"]

# wasm-bindgen's own, and those of unpanic's crate.
INTERNAL = re.compile(r"default|initSync|setPanicHook|wasm_bindgen|__wbg.*|__wbindgen_.*|__wasm_bindgen_.*")
INTERNAL_MEMBER = re.compile(r"free|__.*|\[.*")
STUB_NAMES = {
    "IntEnum": "enum", "StrEnum": "enum", "ClassVar": "typing", "Final": "typing", "Self": "typing",
    "overload": "typing", "type_check_only": "typing",
}  # fmt: skip
WORD = re.compile(r'"(?:[^"\\]|\\.)*"|([^\W\d]\w*)')
WIDTH = 110
OVERLAP = """
# mypy: disable-error-code="overload-overlap,overload-cannot-match"
# pyright: reportOverlappingOverload=false
"""


class NotDeclarations(ValueError):
    """The file has no declarations of a Rust module."""


def make_stub(
    source: str,
    name: str,
    beside: Beside | None = None,
    *,
    docs: bool = True,
    annotator: type[Annotator] = Annotator,
) -> str:
    """Returns the stub of a module.

    Args:
        source: the text of its `.d.ts`.
        name: the module's name, for the first line.
        beside: the glue and the Wasm file, which tell which numbers are integers.
        docs: with docstrings.
        annotator: what writes the annotations.

    Raises:
        NotDeclarations: the `.d.ts` declares nothing that a Rust module exports.

    Example:
        >>> print(make_stub("export function add(a: number, b: number): number;", "bank"))
    """
    return Stub(source, beside, docs=docs, annotator=annotator).write(name)


class Stub:
    """Writes one stub."""

    def __init__(
        self, source: str, beside: Beside | None, *, docs: bool, annotator: type[Annotator] = Annotator
    ) -> None:
        self.declared = d = read(source)
        self.docs = docs
        self.signatures = beside.signatures if beside else Signatures()
        self.exports = beside.exports() if beside else None
        self.has_member = beside.has_member if beside else lambda _: True
        self.functions = [name for name in d.functions if self._is_public(name)]
        self.constants = [name for name in d.constants if name not in d.classes and self._is_public(name)]
        self.enums = [name for name in d.enums if self._is_public(name)]
        self.string_enums = string_enums(source, beside, d)
        self.classes = [name for name in d.classes if not INTERNAL.fullmatch(name)]
        if not (self.functions or self.classes or self.enums):
            raise NotDeclarations("it declares no function, class or enum that a Rust module exports")
        self.own = frozenset((*self.classes, *self.enums, *self.string_enums))
        others = {*self.own, *self.constants}
        self.names = python_names(self.functions, others)
        members = {name: _member_names(d.classes[name]) for name in self.classes}
        values = {*self.functions, *self.names.values(), *self.constants}
        hiding = values.union(*(pair for names in members.values() for pair in names.items()))
        self.members = members
        enums = {**dict.fromkeys(self.enums, ()), **self.string_enums}
        self.annotator = annotator(d, self.classes, enums, values, hiding)
        self.spell = self.annotator.spell

    def _is_public(self, name: str) -> bool:
        """Whether Python finds this name in the module; a class that it does not find is known as a type only."""
        if INTERNAL.fullmatch(name) or not self.declared.is_exported(name):
            return False
        # The function that loads the module has another name in each package.
        if name in self.declared.functions and "InitInput" in repr(self.declared.functions[name]):
            return False
        if name in self.declared.constants and "InitInput" in repr(self.declared.constants[name]):
            return False
        return self.exports is None or name in self.exports

    def write(self, name: str) -> str:
        """Returns the text of the stub."""
        d = self.declared
        parts = [self._string_enum(each, values) for each, values in self.string_enums.items()]
        parts += [self._enum(d.enums[each]) for each in self.enums]
        parts += [self._class(d.classes[each]) for each in self.classes]
        parts += [self._constant(each) for each in self.constants]
        parts += [self._function(each) for each in self.functions]
        has_hook = "setPanicHook" in d.functions
        for each in (*d.interfaces, *d.aliases, *d.enums):
            if each not in INTERNAL_TYPES and each not in self.own and not (has_hook and each == "Panic"):
                self.annotator.use(each)
        types = self.annotator.types_source()
        text = "\n".join([*([types, ""] if types else []), *parts])
        aliases = "".join(f"_{each} = {each}\n" for each in sorted(self.annotator.hidden))
        head = f'"""Types of the Rust module {name}, written by `unpanic stubs`."""\n'
        # TypeScript takes the first overload that fits, even if others fit too.
        overlap = OVERLAP if self.spell("overload") in text else ""
        return "\n".join(part for part in (head + overlap, self._imports(text), text, aliases) if part)

    def _imports(self, text: str) -> str:
        words = {word[1] for word in WORD.finditer(text)}
        modules: dict[str, list[str]] = {}
        for name, module in {**NAMES, **STUB_NAMES}.items():
            spelt = self.spell(name)
            if spelt in words:
                modules.setdefault(module, []).append(name if spelt == name else f"{name} as {spelt}")
        lines = ["import builtins\n"] if "builtins" in words else []
        lines += [f"from {module} import {', '.join(sorted(names))}\n" for module, names in sorted(modules.items())]
        return "".join(lines)

    # Enums and constants.

    def _string_enum(self, name: str, values: Sequence[str]) -> str:
        members = [f"    {member} = {quoted(value)}" for member, value in enum_members(values).items()]
        alias = self.declared.aliases.get(name)
        return self._block(f"class {class_name(name)}({self.spell('StrEnum')}):", alias.doc if alias else "", members)

    def _enum(self, enum: Enum) -> str:
        is_text = any(isinstance(value, str) for _, value, _ in enum.members)
        base = self.spell("StrEnum" if is_text else "IntEnum")
        members = []
        for name, value, doc in enum.members:
            members.append(f"    {member_name(name)} = {quoted(value) if isinstance(value, str) else value}")
            members += self._doc(doc, "    ")
        return self._block(f"class {class_name(enum.name)}({base}):", enum.doc, members)

    def _constant(self, name: str) -> str:
        return f"{name}: {self.annotator.result(self.declared.constants[name], None, name)}"

    # Functions.

    def _function(self, name: str) -> str:
        python = self.names[name]
        lines = self._overloads(python, self.declared.functions[name], name, "")
        if name != python and _is_identifier(name):
            lines.append(f"{name} = {python}")
        return "\n".join([*lines, ""])

    def _overloads(
        self, python: str, signatures: Sequence[Signature], place: str, indent: str, wasm: str = ""
    ) -> list[str]:
        """Returns the lines of one `def`, or of several with `@overload`.

        Args:
            python: the Python name.
            signatures: the overloads.
            place: the function, or the class and its method, as they are exported.
            indent: the spaces before each line.
            wasm: the name of the Wasm file's export, if it is not `place`.
        """
        written: dict[str, list[str]] = {}
        exact = self.signatures.get(wasm or place) if len(signatures) == 1 else None
        for signature in signatures:
            params, lines = self._def(python, signature, place, indent, exact)
            written.setdefault(params, lines)
        decorator = [f"{indent}@{self.spell('overload')}"] if len(written) > 1 else []
        return [line for lines in written.values() for line in (*decorator, *lines)]

    def _def(
        self, python: str, signature: Signature, place: str, indent: str, exact: WasmSignature | None
    ) -> tuple[str, list[str]]:
        """Returns the text of the parameters, by which overloads differ, and the lines."""
        in_class = bool(indent)
        is_constructor = python == "__init__"
        has_self = in_class and not signature.static
        param_kinds = parameter_kinds(signature.params, exact, method=has_self and not is_constructor, own=self.own)
        in_python = arguments(signature)
        texts = [] if not has_self else ["self"]
        for param, argument, kind in zip(signature.params, in_python, param_kinds, strict=True):
            type_ = _item(param.type) if param.rest else param.type
            text = self.annotator.parameter(type_, None if param.rest else kind, f"{place}.{param.name}")
            texts.append(parameter_text(argument, or_none(text) if param.optional and not param.rest else text))
        is_async = is_promise(signature.result)
        exact_result = None if is_async else result_kind(signature.result, exact)
        result = "None" if is_constructor else self.annotator.result(signature.result, exact_result, f"{place}.result")
        lines = [f"{indent}@{self.spell('staticmethod')}"] if in_class and signature.static else []
        head = f"{indent}{'async ' if is_async else ''}def {python}("
        one_line = f"{head}{', '.join(texts)}) -> {result}:"
        if len(one_line) > WIDTH and texts:
            lines += [head, *(f"{indent}    {text}," for text in texts), f"{indent}) -> {result}:"]
        else:
            lines.append(one_line)
        renamed = {param.name: argument.name for param, argument in zip(signature.params, in_python, strict=True)}
        doc = self._doc(signature.doc, indent + "    ", renamed)
        if not doc:
            lines[-1] += " ..."
        return ", ".join(texts), [*lines, *doc]

    # Classes.

    def _class(self, declared: Class) -> str:
        base = f"({class_name(declared.base)})" if declared.base in self.classes else ""
        enter = f"__enter__(self) -> {self.spell('Self')}"
        leave = f"__exit__(self, *error: {self.spell('object')}) -> None"
        own = ("free(self) -> None", enter, leave, *self._iteration(declared))
        lines = [*self._constructor(declared), *self._members(declared), *(f"    def {method}: ..." for method in own)]
        block = self._block(f"class {class_name(declared.name)}{base}:", declared.doc, lines)
        return block if self._is_public(declared.name) else f"@{self.spell('type_check_only')}\n{block}"

    def _constructor(self, declared: Class) -> list[str]:
        if not declared.constructors:
            return []
        wasm = f"{declared.name.lower()}_new"
        return self._overloads("__init__", declared.constructors, declared.name, "    ", wasm)

    def _members(self, declared: Class) -> list[str]:
        names, lines = self.members[declared.name], []
        for method, python in names.items():
            signatures = [each for each in declared.methods if each.name == method]
            if signatures and self.has_member(method):
                wasm = f"{declared.name.lower()}_{method}"
                lines += self._overloads(python, signatures, f"{declared.name}.{method}", "    ", wasm)
                lines += self._alias(method, python)
        for each in declared.properties:
            if each.name in names:
                lines += self._property(declared, each, names[each.name])
                lines += self._alias(each.name, names[each.name])
        return lines

    def _iteration(self, declared: Class) -> list[str]:
        """Returns the methods that make a class whose `next` takes nothing an iterator (`_exports/iteration.py`)."""
        step = next((each for each in declared.methods if each.name == "next" and not each.params), None)
        if step is None:
            return []
        match step.result:
            case Name("Promise", (result,)):
                begin, go_on = "__aiter__", "__anext__"
            case result:
                begin, go_on = "__iter__", "__next__"
        wasm = self.signatures.get(f"{declared.name.lower()}_next")
        text = self.annotator.result(without_absence(result), result_kind(result, wasm), f"{declared.name}.next.result")
        step_class = self.declared.classes.get(result.name) if isinstance(result, Name) else None
        # JavaScript's iterators return objects with `done` and `value`.
        has_done = step_class is not None and any(each.name == "done" for each in step_class.properties)
        item = self.spell("Any") if has_done else text
        item = f"{self.spell('Awaitable')}[{item}]" if go_on == "__anext__" else item
        return [f"{begin}(self) -> {self.spell('Self')}", f"{go_on}(self) -> {item}"]

    def _alias(self, exported: str, python: str) -> list[str]:
        return [f"    {exported} = {python}"] if exported != python and _is_identifier(exported) else []

    def _property(self, owner: Class, member: Property, python: str) -> list[str]:
        place, prefix = f"{owner.name}.{member.name}", owner.name.lower()
        wasm = self.signatures.get(f"__wbg_get_{prefix}_{member.name}") or self.signatures.get(
            f"{prefix}_{member.name}"
        )
        declared = Union((member.type, Name("undefined"))) if member.optional else member.type
        kind = result_kind(declared, wasm)
        result = self.annotator.result(declared, kind, place)
        if member.static:
            how = self.spell("Final" if member.readonly else "ClassVar")
            return [f"    {python}: {how}[{result}]", *self._doc(member.doc, "    ")]
        doc = self._doc(member.doc, "        ")
        head = f"    def {python}(self) -> {result}:"
        lines = [f"    @{self.spell('property')}", head if doc else f"{head} ...", *doc]
        if not member.readonly:
            value = self.annotator.parameter(declared, kind, place)
            lines += [f"    @{python}.setter", f"    def {python}(self, value: {value}) -> None: ..."]
        return lines

    # Text.

    def _doc(self, doc: str, indent: str, names: dict[str, str] | None = None) -> list[str]:
        return indented_docstring(docstring(read_comment(doc), names or {}), indent) if doc and self.docs else []

    def _block(self, head: str, doc: str, lines: Sequence[str]) -> str:
        body = [*self._doc(doc, "    "), *lines]
        return "\n".join([head, *body, ""]) if body else f"{head} ...\n"


def _member_names(declared: Class) -> dict[str, str]:
    """Returns the Python names of a class's methods and properties."""
    members = [each.name for each in declared.methods] + [each.name for each in declared.properties]
    exported = [name for name in members if not INTERNAL_MEMBER.fullmatch(name)]
    return python_names(exported)


def _item(type_: Type) -> Type:
    """Returns the type of each item of the list that a rest parameter is."""
    match type_:
        case Array(item):
            return item
        case Name(name) if name.endswith("Array"):
            return Name("bigint" if name.startswith("Big") else "number")
        case Union(items):
            return Union(tuple(map(_item, items)))
    return ANY


def _is_identifier(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)
