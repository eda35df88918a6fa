"""What the tests of several tools need."""

from __future__ import annotations

from pathlib import Path

import pytest
from unpanic_tools.cli import problems

ROOT = Path(__file__).parents[3]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the committed rewriter, as the wheel installs it."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "rewriter.wasm").symlink_to(ROOT / "rust/rewriter/pkg/rewriter.wasm")
    monkeypatch.setattr(problems.resources, "files", lambda _: folder)
    return folder
