"""The memory of the processes that this one has started: the browser, and what it runs pages in."""

from __future__ import annotations

import os
from pathlib import Path

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def resident_bytes() -> int:
    """Returns how much memory they use. No other figure that both engines give includes Wasm memories."""
    parents, sizes = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            pages = (folder / "statm").read_text().split()[1]
        except OSError:
            continue  # it has just ended
        parents[int(folder.name)], sizes[int(folder.name)] = int(parent), int(pages) * PAGE_BYTES
    own = os.getpid()
    return sum(size for process, size in sizes.items() if process != own and own in ancestors(process, parents))


def ancestors(process: int, parents: dict[int, int]) -> set[int]:
    found: set[int] = set()
    while (process := parents.get(process, 0)) and process not in found:
        found.add(process)
    return found
