"""Writes exact Rust types into what wasm-bindgen wrote: the comments of the glue, and the `.d.ts`.

Both say `number` for `u8` and for `f32`. The runtime reads types by their names in Rust, too, because authors write
them in `unchecked_param_type`. So these texts are where the exact types go: `number` becomes `u8`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from unpanic._bridge.kinds import RANGES
from unpanic._declarations.resolve import NAMED

from .descriptors import Descriptor, Signature

__all__ = ["Described", "Exact", "read_glue", "write_closures", "write_types"]

# The numbers that TypeScript has, for those of Rust. An f64 is what TypeScript calls a number.
NUMBERS = {
    **dict.fromkeys(("i8", "u8", "i16", "u16", "i32", "u32", "f32"), "number"),
    **dict.fromkeys(("i64", "u64", "i128", "u128"), "bigint"),
}
ABSENT = ("Option", "Result")
# What wasm-bindgen writes for a number; any other text is the author's.
GENERATED = re.compile(r"(Promise<)?(number|bigint)((?: \| (?:null|undefined))*>?)")
HASHED = re.compile(r"(.+)_[0-9a-f]{16}")
# In the glue: the head of a function or a member, with its indent; and the call of an export inside of it.
HEAD = re.compile(
    r"(?P<indent> {4})?(?:export )?(?:async )?(?:function )?"
    r"(?P<role>static |get |set )*(?P<name>[\w$]+)\((?P<params>.*)\) \{"
)
CLASS = re.compile(r"(?:export )?(?:declare )?class ([\w$]+)")
CALL = re.compile(r"\bwasm\.([\w$]+)\(")
TAG = re.compile(r"(\s*\* @param \{)(.*?)(\} \[?)([\w$]+)(.*)", re.DOTALL)
# In the `.d.ts`: a function, a member that is called, and a member that is a value.
FUNCTION = re.compile(r"export function ([\w$]+)(\(.*\)): (.*);")
METHOD = re.compile(r"    (static |get |set )?([\w$]+)(\(.*\))(?:: (.*))?;")
VALUE = re.compile(r"    (?:static )?(?:readonly )?([\w$]+): (.*);")
# In the glue: how a Rust closure becomes a function, with the types as wasm-bindgen's own code has them.
CLOSURE = re.compile(
    r"(// Cast intrinsic for `Closure\(Closure \{.*? function: Function \{ arguments: \[(.*?)\], shim_idx.*\n"
    r"\s*const ret = )(make(?:Mut)?Closure\(.*\));"
)
# In the glue: a function that is put into a namespace.
MEMBER = re.compile(r"([\w$]+\.[\w$.]+) = ([\w$]+);")
OPTION = re.compile(r"Option\((\w+)\)")
# A call of one of these is no export of the author's.
INTERNAL = re.compile(r"__(?:wbindgen|externref)_.*|__wbg_.*_free")
ALIASES = "/** Numbers as Rust has them: this module refuses a value that is out of the range of its type. */\n"


@dataclass(frozen=True)
class Exact:
    """The exact types of one function of the glue: a type is None where it is no number.

    Attributes:
        owner: the class that it is a member of; empty for a function.
        role: `static`, `get`, `set`, or empty.
        name: its name in the glue.
        params: the types of its parameters.
        result: that of its result.
        kinds: its parameters as the runtime reads them of a function without a declaration, see `_kind`.
    """

    owner: str
    role: str
    name: str
    params: tuple[str | None, ...]
    result: str | None
    kinds: str = ""


@dataclass(frozen=True)
class Described:
    """The signatures of exports, by the names that these have after wasm-bindgen.

    Attributes:
        signatures: all of them.
        shared: the exports whose code is that of another one with other types: the linker keeps one copy of equal
            code, and wasm-bindgen may call it by either name.
    """

    signatures: Mapping[str, Signature]
    shared: frozenset[str]

    @classmethod
    def of(cls, signatures: Mapping[str, Signature], functions: Mapping[str, int]) -> "Described":
        """Makes one of what a file tells before wasm-bindgen.

        Newer versions add a hash of the crate to the names of exports. Where two crates have an export of one name,
        its types are told only if they are the same.

        Args:
            signatures: the signatures by the names of the exports.
            functions: the number of each exported function.
        """
        by_name: dict[str, Signature | None] = {}
        by_number: dict[int, set[Signature]] = {}
        for name, signature in signatures.items():
            plain = _without_hash(name)
            by_name[plain] = signature if by_name.get(plain, signature) == signature else None
            if name in functions:
                by_number.setdefault(functions[name], set()).add(signature)
        shared = [_without_hash(name) for name, number in functions.items() if len(by_number.get(number, ())) > 1]
        return cls({name: signature for name, signature in by_name.items() if signature}, frozenset(shared))

    def find(self, names: Sequence[str], called: Sequence[str]) -> Signature | None:
        """Returns the signature of a function of the glue, or None if it is not sure.

        Args:
            names: those that its export may have.
            called: the exports that it calls.
        """
        # What it calls is sure, but for shared code; a class may have both a constructor and a method `new`.
        for name in (*(each for each in called if each not in self.shared), *names):
            if INTERNAL.fullmatch(name):
                continue
            if name.startswith("__wbg_set_"):  # a field, which one descriptor describes for both ways
                field_ = self.signatures.get(name.replace("_set_", "_get_", 1))
                if field_:
                    return Signature((field_.result,), Descriptor("()"))
            elif name in self.signatures:
                return self.signatures[name]
        return None


def read_glue(glue: str, described: Described) -> tuple[str, list[Exact]]:
    """Returns the glue with exact types in its comments, and these types.

    Args:
        glue: what wasm-bindgen wrote for the target `web`.
        described: the signatures of its exports.
    """
    lines = glue.split("\n")
    exacts: list[Exact] = []
    for function in _functions(lines):
        exact = function.exact(described)
        if exact is None:
            continue
        exacts.append(exact)
        types = dict(zip(function.params, exact.params, strict=True))
        for at in function.comment:
            if (tag := TAG.fullmatch(lines[at])) and (rust := types.get(tag[4])):
                lines[at] = f"{tag[1]}{_with_number(tag[2], rust)}{tag[3]}{tag[4]}{tag[5]}"
    return "\n".join(_namespaced(lines, exacts)), exacts


def write_closures(glue: str) -> str:
    """Returns the glue with the types of the parameters of Rust closures, which the runtime checks.

    Glue of wasm-bindgen before 0.2.101 does not tell them.

    Args:
        glue: what wasm-bindgen wrote.

    Example:
        >>> write_closures(glue)  # with a closure that takes a u8 and an Option<f32>
        '… const ret = Object.assign(makeClosure(arg0, arg1, adapter), { rustTypes: "u8,f32?" });…'
    """

    def typed(match: re.Match[str]) -> str:
        kinds = [_kind(_undebugged(each)) for each in _split(match[2])]
        if not any(kinds):
            return match[0]
        return f"{match[1]}{_telling(match[3], ','.join(kinds))};"

    return CLOSURE.sub(typed, glue)


def write_types(declarations: str, exacts: Sequence[Exact]) -> str:
    """Returns a `.d.ts` with exact types, and with the aliases that make it TypeScript.

    Args:
        declarations: what wasm-bindgen wrote.
        exacts: those of `read_glue`.
    """
    known = {(exact.owner, exact.role, exact.name): exact for exact in exacts}
    used: set[str] = set()
    lines, owner = [], ""
    for line in declarations.split("\n"):
        if opened := CLASS.match(line):
            owner = opened[1]
        elif line.startswith("}"):
            owner = ""
        lines.append(_declared(line, owner, known, used))
    return _with_aliases("\n".join(lines), used)


# The glue.


def _namespaced(lines: Sequence[str], exacts: Sequence[Exact]) -> Iterator[str]:
    """Yields the lines of glue; a function in a namespace is declared nowhere, so it says itself what it takes."""
    kinds = {exact.name: exact.kinds for exact in exacts if not exact.owner and any(exact.kinds.split(","))}
    for line in lines:
        member = MEMBER.fullmatch(line)
        if member and member[2] in kinds:
            line = f"{member[1]} = {_telling(member[2], kinds[member[2]])};"
        yield line


def _telling(function: str, kinds: str) -> str:
    """Returns code for a function that tells the runtime what it takes."""
    return f'Object.assign({function}, {{ rustTypes: "{kinds}" }})'


@dataclass
class _Function:
    """A function of the glue: where its comment is, its parameters, and which export it calls."""

    owner: str
    role: str
    name: str
    params: list[str]
    comment: range
    exports: list[str] = field(default_factory=list)

    def exact(self, described: Described) -> Exact | None:
        signature = described.find(self._names(), self.exports)
        if signature is None or len(signature.params) != len(self.params):
            return None
        params, kinds = tuple(map(_number, signature.params)), ",".join(map(_kind, signature.params))
        return Exact(self.owner, self.role, self.name, params, _number(signature.result), kinds)

    def _names(self) -> list[str]:
        """The names that its export has, if it is called in Rust as in the glue."""
        owner = self.owner.lower()
        if not owner:
            return [self.name]
        if self.role == "get":
            return [f"{owner}_{self.name}", f"__wbg_get_{owner}_{self.name}"]
        if self.role == "set":
            return [f"{owner}_set_{self.name}", f"__wbg_set_{owner}_{self.name}"]
        return [f"{owner}_new" if self.name == "constructor" else f"{owner}_{self.name}"]


def _functions(lines: Sequence[str]) -> Iterator[_Function]:
    """Yields the functions and members of glue."""
    owner, comment, inside = "", range(0), None
    for at, line in enumerate(lines):
        if inside is not None:
            function, end = inside
            function.exports += CALL.findall(line)
            if line == end:
                inside = None
                yield function
        elif line.lstrip().startswith("/**"):
            comment = range(at, at + 1)
        elif comment.stop == at and line.lstrip().startswith("*"):
            comment = range(comment.start, at + 1)
        elif opened := CLASS.match(line):
            owner = opened[1]
        elif line == "}":
            owner = ""
        elif head := HEAD.fullmatch(line):
            params = [param.strip() for param in head["params"].split(",") if param.strip()]
            documented = comment if comment.stop == at else range(0)
            function = _Function(owner, (head["role"] or "").strip(), head["name"], params, documented)
            inside = function, f"{head['indent'] or ''}}}"


# Types.


def _undebugged(text: str) -> Descriptor:
    """Returns a type that wasm-bindgen's own code names, as far as it is a number or an `Option` of one."""
    option = OPTION.fullmatch(text)
    inner = Descriptor((option[1] if option else text).lower())
    return Descriptor("Option", (inner,)) if option else inner


def _without_hash(name: str) -> str:
    hashed = HASHED.fullmatch(name)
    return hashed[1] if hashed else name


def _number(descriptor: Descriptor) -> str | None:
    """Returns the number that a type is, or that it may hold; None if it is something else."""
    while descriptor.name in ABSENT:
        (descriptor,) = descriptor.parts
    return descriptor.name if descriptor.name in NUMBERS else None


def _kind(descriptor: Descriptor) -> str:
    """Returns the runtime's name for a number, with a question mark for an `Option` of it; empty for other types."""
    is_option = descriptor.name == "Option"
    rust = descriptor.parts[0].name if is_option else descriptor.name
    return f"{NAMED[rust]}{'?' if is_option else ''}" if rust in (*NUMBERS, "f64") else ""


def _with_number(text: str, rust: str) -> str:
    """A parameter's type in a comment of the glue, with the number that Rust takes.

    The author's own type keeps its word, and the number is added to it: `Level & u8`.
    """
    if generated := GENERATED.fullmatch(text):
        return f"{generated[1] or ''}{rust}{generated[3]}"
    if _is_within(text, rust):
        return text
    return f"{text} & {rust}" if re.fullmatch(r"[\w$.]+", text) else f"({text}) & {rust}"


def _is_within(text: str, rust: str) -> bool:
    """Whether an author's type is a number of Rust's, none of which is out of the range."""
    kind, outer = NAMED.get(text), NAMED.get(rust)
    if kind not in RANGES or outer not in RANGES:
        return False
    low, high, _ = RANGES[kind]
    lowest, highest, _ = RANGES[outer]
    return lowest <= low and high <= highest


# Declarations.


def _declared(line: str, owner: str, known: Mapping[tuple[str, str, str], Exact], used: set[str]) -> str:
    """Returns a line of declarations with exact types, and adds these to `used`."""

    def exactly(text: str, rust: str | None) -> str:
        generated = GENERATED.fullmatch(text)
        if not rust or not generated:
            return text
        used.add(rust)
        return f"{generated[1] or ''}{rust}{generated[3]}"

    def called(params: str, exact: Exact) -> str:
        each = _split(params[1:-1])
        if len(each) != len(exact.params):
            return params
        pairs = [(*_name_and_type(one), rust) for one, rust in zip(each, exact.params, strict=True)]
        return f"({', '.join(f'{name}{exactly(text, rust)}' for name, text, rust in pairs)})"

    if not owner:
        function = FUNCTION.fullmatch(line)
        exact = known.get(("", "", function[1])) if function else None
        if function is None or exact is None:
            return line
        return f"export function {function[1]}{called(function[2], exact)}: {exactly(function[3], exact.result)};"
    if method := METHOD.fullmatch(line):
        role, name = (method[1] or "").strip(), method[2]
        exact = known.get((owner, role, name))
        if exact is None:
            return line
        result = f": {exactly(method[4], exact.result)}" if method[4] else ""
        return f"    {method[1] or ''}{name}{called(method[3], exact)}{result};"
    if value := VALUE.fullmatch(line):
        exact = known.get((owner, "get", value[1]))
        return f"{line[: value.start(2)]}{exactly(value[2], exact.result)};" if exact else line
    return line


def _split(params: str) -> list[str]:
    """Splits parameters at their commas, and not at those inside of types."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(params):
        if letter in "([{<":
            depth += 1
        elif letter in ")]}" or (letter == ">" and params[at - 1] != "="):
            depth -= 1
        elif letter == "," and depth == 0:
            parts.append(params[start:at].strip())
            start = at + 1
    return [*parts, params[start:].strip()] if params.strip() else []


def _name_and_type(param: str) -> tuple[str, str]:
    name, colon, type_ = param.partition(": ")
    return name + colon, type_


def _with_aliases(declarations: str, used: set[str]) -> str:
    """Adds the aliases of numbers that the declarations use and do not have."""
    missing = [name for name in sorted(used) if not re.search(rf"\btype {name}\b", declarations)]
    if not missing:
        return declarations
    aliases = ALIASES + "".join(f"type {name} = {NUMBERS[name]};\n" for name in missing)
    lines = declarations.split("\n")
    first = next((at for at, line in enumerate(lines) if not re.fullmatch(r"/\*.*\*/", line)), 0)
    return "\n".join([*lines[:first], aliases, *lines[first:]])
