"""Typed use of @rometools/wasm-bundler."""

from typing import assert_type

import rometools_wasm_bundler as rome


def opened(source: str) -> rome.Workspace:
    workspace = rome.Workspace()
    path: rome.RomePath = {"path": "a.js", "id": 0}
    workspace.open_file({"path": path, "version": 0, "content": source, "language_hint": "JavaScript"})
    assert_type(workspace.get_control_flow_graph({"path": path, "cursor": 0}), str)
    workspace.open_file({"path": path, "content": source})  # wrong
    workspace.format_file("a.js")  # wrong
    return workspace
