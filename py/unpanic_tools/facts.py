"""What a Wasm file tells of the module in it: its imports and exports, its tools, and how it panics."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from .wasm import Reader

__all__ = ["WasmFacts"]

CUSTOM, IMPORT, MEMORY, EXPORT, TAG = 0, 2, 5, 7, 13
FUNCTION_KIND, TABLE_KIND, MEMORY_KIND, GLOBAL_KIND = range(4)
SHARED = 2
# JavaScript's own exception tag, which glue with an abort handler imports: such a build does not unwind.
JAVASCRIPT_TAG = "__wbindgen_jstag"
# What console_error_panic_hook prints after the message.
PRINTED_STACK = b"\n\nStack:\n\n"


@dataclass
class WasmFacts:
    """What stands in a Wasm file.

    Attributes:
        imports: the names of the imports, as pairs of module and name.
        exports: the names of the exports.
        unwinds: whether it was built with `panic=unwind`.
        shares_memory: whether it was built for threads.
        tools: the versions of the tools that made it, by their names; empty if that was stripped.
        functions: whether the file has the names of its functions.
        debug: whether the file has debug information.
    """

    imports: list[tuple[str, str]] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)
    unwinds: bool = False
    shares_memory: bool = False
    tools: dict[str, str] = field(default_factory=dict)
    functions: bool = False
    debug: bool = False
    prints_panics: bool = False

    @classmethod
    def of(cls, wasm: bytes) -> "WasmFacts":
        """Reads a file.

        Raises:
            ValueError: it is damaged.
        """
        facts = cls()
        try:
            for section, reader, end in _sections(wasm):
                facts._read(section, reader, end)
        except (IndexError, UnicodeDecodeError):
            raise ValueError("this Wasm file is damaged") from None
        prints = any(name.startswith("__wbg_error_") for _, name in facts.imports)
        facts.prints_panics = prints and PRINTED_STACK in wasm
        return facts

    @property
    def needs_glue(self) -> bool:
        """Whether wasm-bindgen made the file, so that it cannot be used without its glue."""
        modules = {module for module, _ in self.imports}
        return (
            any(module == "wbg" or module.startswith("__wbindgen_") or module.endswith("_bg.js") for module in modules)
            or any(name.startswith("__wbindgen_") for name in self.exports)
            or "wasm-bindgen" in self.tools
        )

    @property
    def hook(self) -> str:
        """Returns how a panic tells its message: the name of a hook, or nothing."""
        if any(name.lower() == "setpanichook" for name in self.exports):
            return "setPanicHook"
        return "console_error_panic_hook" if self.prints_panics else ""

    def _read(self, section: int, reader: Reader, end: int) -> None:
        if section == CUSTOM:
            self._read_custom(reader, end)
        elif section == IMPORT:
            for _ in range(reader.integer()):
                self._read_import(reader)
        elif section == MEMORY:
            for _ in range(reader.integer()):
                self._read_memory(reader)
        elif section == EXPORT:
            for _ in range(reader.integer()):
                self.exports.append(reader.name())
                reader.byte()
                reader.integer()
        elif section == TAG:
            self.unwinds = True

    def _read_import(self, reader: Reader) -> None:
        module, name, kind = reader.name(), reader.name(), reader.byte()
        self.imports.append((module, name))
        if kind == FUNCTION_KIND:
            reader.integer()
        elif kind == TABLE_KIND:
            reader.value_type()
            reader.limits()
        elif kind == MEMORY_KIND:
            self._read_memory(reader)
        elif kind == GLOBAL_KIND:
            reader.value_type()
            reader.byte()
        else:
            reader.byte()
            reader.integer()
            self.unwinds = self.unwinds or name != JAVASCRIPT_TAG

    def _read_memory(self, reader: Reader) -> None:
        self.shares_memory = self.shares_memory or bool(reader.data[reader.position] & SHARED)
        reader.limits()

    def _read_custom(self, reader: Reader, end: int) -> None:
        name = reader.name()
        if name == "name":
            self.functions = True
        elif name.startswith(".debug_"):
            self.debug = True
        elif name == "producers":
            for _ in range(reader.integer()):
                reader.name()
                for _ in range(reader.integer()):
                    tool, version = reader.name(), reader.name()
                    if version and reader.position <= end:
                        self.tools[tool] = version


def _sections(wasm: bytes) -> Iterator[tuple[int, Reader, int]]:
    """Yields each section's number, a reader at its content, and where it ends."""
    position = 8
    while position < len(wasm):
        section = wasm[position]
        reader = Reader(wasm, position + 1)
        size = reader.integer()
        position = reader.position + size
        if position > len(wasm):
            raise IndexError
        yield section, reader, position
