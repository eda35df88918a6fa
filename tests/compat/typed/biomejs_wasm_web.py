"""Typed use of @biomejs/wasm-web."""

from typing import assert_type

import biomejs_wasm_web as biome


def formatted(source: str) -> str:
    workspace = biome.Workspace()
    project = workspace.open_project({"path": "/", "openUninitialized": True})["projectKey"]
    settings: biome.Configuration = {"formatter": {"indentStyle": "space", "lineWidth": 100}}
    changed = workspace.update_settings({"projectKey": project, "configuration": settings, "workspaceDirectory": "/"})
    assert_type(changed, biome.UpdateSettingsResult)
    content: biome.FileContent = {"type": "fromClient", "content": source, "version": 0}
    workspace.open_file({"projectKey": project, "path": "/a.js", "content": content})
    workspace.open_project({"path": "/"})  # wrong
    wrong: biome.Configuration = {"formatter": {"indentStyle": "none"}}  # wrong
    print(wrong)
    result: biome.Printed = workspace.format_file({"projectKey": project, "path": "/a.js"})
    return result["code"]
