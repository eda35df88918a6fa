"""Which line of which source file calls: a table of a Wasm file's calls, from its debug information (DWARF).

A stack has a position in the Wasm file for each frame. Debug information would tell the line, but it is many times
larger than the code, and wrong after the file was rewritten. So the build reads it, and the wheel has a table of those
calls that stand in the crate's own files. A rewritten file has the same functions with the same calls, and others
between.
"""

import io
import json
from bisect import bisect_right
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from elftools.dwarf.dwarfinfo import DebugSectionDescriptor, DwarfConfig, DWARFInfo

from ..wasm import Reader
from .cargo import CHECKOUTS, REGISTRY, STD
from .instructions import UnknownInstruction, calls
from .trimming import Functions

__all__ = ["has_debug_info", "line_table", "matched_calls", "without_debug_info"]

CUSTOM = 0
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


def line_table(debug: bytes, final: bytes, workspace: Path, *, deadlines: bool) -> str:
    """Returns the table, as JSON: source files, and for each function of the file the line of each call.

    Args:
        debug: the file with debug information.
        final: the file that is to be loaded: the same, or rewritten.
        workspace: the folder to which source files are relative.
        deadlines: whether calls of the final file can be stopped.
    """
    rows = sorted(_rows(debug, workspace))
    addresses = [row[0] for row in rows]
    before, after = Functions(debug), Functions(final)
    before.read()
    after.read()
    files: dict[str, int] = {}
    table: dict[int, dict[int, tuple[int, int]]] = {}
    for at, (body, start) in enumerate(zip(before.bodies, before.starts, strict=True)):
        first = bisect_right(addresses, start - before.code)
        last = bisect_right(addresses, start - before.code + len(body))
        if not any(file for _, file, _ in rows[max(first - 1, 0) : last]):
            continue
        for call, (begin, end) in matched_calls(before, after, at):
            _, file, line = rows[max(bisect_right(addresses, start - before.code + call) - 1, 0)]
            if file and line:
                place = (files.setdefault(file, len(files)), line)
                found = table.setdefault(after.imported + at, {})
                # Engines name the place of a call, or the one after it.
                found[after.starts[at] + begin] = found[after.starts[at] + end] = place
    return json.dumps({"deadlines": deadlines, "files": list(files), "functions": table}, separators=(",", ":"))


def matched_calls(before: Functions, after: Functions, at: int) -> list[tuple[int, tuple[int, int]]]:
    """Returns where each call of a function begins, and where the rewritten file has it; empty if that is not sure."""
    new_imports = after.imported - before.imported
    count = len(before.bodies)

    def old_number(target: int) -> int | None:
        if target < before.imported:
            return target
        return target - new_imports if after.imported <= target < after.imported + count else None

    try:
        old = list(calls(before.bodies[at], exceptions=True))
        new = [(start, end, old_number(target)) for start, end, target in calls(after.bodies[at], exceptions=True)]
    except UnknownInstruction:
        return []
    kept = [(start, end, target) for start, end, target in new if target is not None]
    if [target for _, _, target in old] != [target for _, _, target in kept]:
        return []
    return [(start, (begin, end)) for (start, _, _), (begin, end, _) in zip(old, kept, strict=True)]


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
