"""Which line of which source file calls: a table of a Wasm file's calls, from its debug information (DWARF).

A stack has a position in the Wasm file for each frame. Debug information would tell the line, but it is many times
larger than the code, and wrong after the file was rewritten. So the build reads it, and the wheel has a table of those
calls that stand in the crate's own files, for each form into which the file may be rewritten where it is loaded. A
rewritten file has the same functions with the same calls, and others between.
"""

import io
import json
import zlib
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from pathlib import Path, PurePosixPath
from typing import Any

from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from ..wasm import Reader
from .cargo import CHECKOUTS, REGISTRY, STD
from .instructions import UnknownInstruction, calls
from .trimming import Functions

__all__ = ["has_debug_info", "line_table", "matched_calls", "without_debug_info"]

CUSTOM = 0
FUNCTION_NAMES = 1  # a part of the section with names
# What calls through the function table in a file that is rewritten for rollback (rust/rewriter/src/polls.rs).
POLL = "unpanic.poll"
DEBUG = ".debug_"
# The folders of source files that are not the user's.
FOREIGN = (REGISTRY, CHECKOUTS, STD)
SECTIONS = (
    "info", "aranges", "abbrev", "frame", "eh_frame", "str", "loc", "ranges", "line", "pubtypes", "pubnames", "addr",
    "str_offsets", "line_str", "loclists", "rnglists", "sup", "gnu_debugaltlink", "types",
)  # fmt: skip

# A place in the code section, the source file and the line of what begins there; no file where nothing is known.
type Row = tuple[int, str, int]


def has_debug_info(wasm: bytes) -> bool:
    """Whether a file has lines."""
    return any(name == f"{DEBUG}line" for name, _, _ in _custom_sections(wasm))


def without_debug_info(wasm: bytes) -> bytes:
    """Returns the file without its debug information."""
    parts, position = [], 0
    for name, start, end in _custom_sections(wasm):
        if name.startswith(DEBUG):
            parts.append(wasm[position:start])
            position = end
    return b"".join([*parts, wasm[position:]])


def line_table(debug: bytes, finals: Mapping[int, bytes], workspace: Path, rewriter: bytes) -> str:
    """Returns the table, as JSON, for each form in which the file may be loaded.

    It has the source files, for each function the line of each call, and for each form the place of these calls.

    Args:
        debug: the file with debug information.
        finals: the file as it is loaded: as it is, or rewritten for some options, by these options as the rewriter has
            them.
        workspace: the folder to which source files are relative.
        rewriter: what has rewritten them. Another one may rewrite them otherwise.
    """
    rows = sorted(_rows(debug, workspace))
    before = _functions(debug)
    files: dict[str, int] = {}
    lines: dict[int, list[tuple[int, int]]] = {}
    known: dict[int, list[int]] = {}
    for at in range(len(before.bodies)):
        found = {call: place for call, place in _places(rows, before, at) if place[0]}
        if found:
            known[at] = list(found)
            lines[at] = [(files.setdefault(file, len(files)), line) for file, line in found.values()]
    forms = {str(options): _form(before, final, known) for options, final in finals.items()}
    table = {"files": list(files), "lines": lines, "forms": forms, "rewriter": zlib.crc32(rewriter)}
    return json.dumps(table, separators=(",", ":"))


def _functions(wasm: bytes) -> Functions:
    functions = Functions(wasm)
    functions.read()
    return functions


def _places(rows: Sequence[Row], before: Functions, at: int) -> Iterator[tuple[int, tuple[str, int]]]:
    """Yields the number of each call of a function, with the file and the line where it stands."""
    start, body = before.starts[at] - before.code, before.bodies[at]
    first, last = (bisect_right(rows, place, key=itemgetter(0)) for place in (start, start + len(body)))
    if not any(file for _, file, _ in rows[max(first - 1, 0) : last]):
        return
    try:
        for number, (call, _, _) in enumerate(calls(body, exceptions=True)):
            _, file, line = rows[max(bisect_right(rows, start + call, key=itemgetter(0)) - 1, 0)]
            yield number, (file if line else "", line)
    except UnknownInstruction:
        return


def _form(before: Functions, final: bytes, known: Mapping[int, Sequence[int]]) -> dict[str, Any]:
    """Returns where one form of the file has the known calls.

    Engines number functions with the imports, and name the place of a call or the one after it: so each place is one
    number, sixteen times where the call begins plus its length.
    """
    after, poll = _functions(final), named_function(final, POLL)
    functions = {}
    for at, numbers in known.items():
        if found := matched_calls(before, after, at, poll):
            places = [found[number] for number in numbers]
            functions[at] = [(after.starts[at] + begin) * 16 + end - begin for begin, end in places]
    return {"imported": after.imported, "calls": functions}


def matched_calls(before: Functions, after: Functions, at: int, poll: int | None = None) -> list[tuple[int, int]]:
    """Returns where each call of a function begins and ends in a rewritten file; empty if that is not sure.

    Args:
        before: the original.
        after: the rewritten file.
        at: the place of the function among those of the original that are not imported.
        poll: the number of the function that makes calls through a table, if there is one.
    """
    new_imports = after.imported - before.imported
    added = after.imported + len(before.bodies)

    def old_number(target: int | None) -> int | None:
        if target is None or target == poll:
            return None
        return target if target < before.imported else target - new_imports

    try:
        old = [target for _, _, target in calls(before.bodies[at], exceptions=True)]
        new = list(calls(after.bodies[at], exceptions=True))
    except UnknownInstruction:
        return []
    kept = [
        (start, end, old_number(target))
        for start, end, target in new
        if target in (None, poll) or target < before.imported or after.imported <= target < added
    ]
    if old != [target for _, _, target in kept]:
        return []
    return [(start, end) for start, end, _ in kept]


def named_function(wasm: bytes, wanted: str) -> int | None:
    """Returns the number of the function of a name, or None if there is none."""
    for section, start, end in _contents(wasm):
        reader = Reader(wasm, start)
        while section == "name" and reader.position < end:
            kind, size = reader.byte(), reader.integer()
            behind = reader.position + size
            if kind == FUNCTION_NAMES:
                for _ in range(reader.integer()):
                    number, name = reader.integer(), reader.name()
                    if name == wanted:
                        return number
            reader.position = behind
    return None


def _rows(wasm: bytes, workspace: Path) -> Iterator[Row]:
    """Yields the rows of all line programs; what is not in the user's files has none."""
    contents = {name: wasm[start:end] for name, start, end in _contents(wasm)}

    def section(name: str) -> DebugSectionDescriptor | None:
        full = f"{DEBUG}{name}"
        data = contents.get(full)
        return DebugSectionDescriptor(io.BytesIO(data), full, 0, len(data), 0) if data is not None else None

    config = DwarfConfig(little_endian=True, machine_arch="Wasm", default_address_size=4)
    info = DWARFInfo(config, *(section(name) for name in SECTIONS))
    for unit in info.iter_CUs():
        program = info.line_program_for_CU(unit)
        if program is None:
            continue
        attributes = unit.get_top_DIE().attributes
        folder = attributes["DW_AT_comp_dir"].value.decode() if "DW_AT_comp_dir" in attributes else ""
        old = program["version"] < 5
        folders = [each if isinstance(each, bytes) else each.name for each in program["include_directory"]]
        folders = [b"", *folders] if old else folders
        names = [_own(folder, folders[each.dir_index], each.name, workspace) for each in program["file_entry"]]
        for entry in program.get_entries():
            if (state := entry.state) is not None:
                number = state.file - old
                is_known = not state.end_sequence and 0 <= number < len(names)
                yield state.address, names[number] if is_known else "", state.line or 0


def _own(unit: str, folder: bytes, name: bytes, workspace: Path) -> str:
    """Returns the path of one of the user's files, relative to the workspace; empty if it is another's.

    Cargo compiles the user's crates in the folder of the workspace, and may find them compiled already in another one:
    so an absolute folder of a unit does not matter.
    """
    path = PurePosixPath("" if unit.startswith("/") else unit, folder.decode(), name.decode())
    if path.is_relative_to(workspace.as_posix()):
        path = path.relative_to(workspace.as_posix())
    return "" if path.is_absolute() or path.parts[0] in FOREIGN else str(path)


def _custom_sections(wasm: bytes) -> Iterator[tuple[str, int, int]]:
    """Yields the name of each custom section, and where it begins, with its head, and ends."""
    reader = Reader(wasm, 8)
    while reader.position < len(wasm):
        start, section, size = reader.position, reader.byte(), reader.integer()
        end = reader.position + size
        if section == CUSTOM:
            yield reader.name(), start, end
        reader.position = end


def _contents(wasm: bytes) -> Iterator[tuple[str, int, int]]:
    """Yields the name of each custom section, and where its content behind the name begins and ends."""
    for name, start, end in _custom_sections(wasm):
        reader = Reader(wasm, start + 1)
        reader.integer()
        reader.name()
        yield name, reader.position, end
