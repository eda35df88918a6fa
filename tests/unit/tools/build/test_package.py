"""What the build does with a Wasm file after wasm-bindgen."""

from __future__ import annotations

from pathlib import Path

import pytest
import wasmtime
from unpanic_tools.build import BuildError, CrateOptions, package
from unpanic_tools.build.package import _forms, _rewrite_ahead
from unpanic_tools.mark import Mark

REWRITER = Path(__file__).parents[4] / "rust/rewriter/pkg/rewriter.wasm"
PLAIN = '(module (memory (export "memory") 1) (func (export "f") (i32.store (i32.const 0) (i32.const 1))))'


@pytest.fixture(autouse=True)
def rewriter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package, "_rewriter", REWRITER.read_bytes)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"rollback": True}, (False, True)),
        ({"deadlines": True}, (True, True)),
        ({"deadlines": True, "rollback": False}, (True, False)),
        ({"deadlines": True, "panic": "unwind"}, (True, False)),
        ({"deadlines": True, "panic": "unwind", "rollback": True}, (True, True)),
    ],
)
def test_a_file_that_can_be_stopped_can_be_rolled_back(options: dict, expected: tuple | None, tmp_path: Path):
    """It cannot be rewritten again where it is loaded; a build that unwinds needs no rollback."""
    file = tmp_path / "a.wasm"
    file.write_bytes(wasmtime.wat2wasm(PLAIN))
    _rewrite_ahead(file, CrateOptions(**options))
    mark = Mark.of(file.read_bytes())
    assert (mark and (mark.deadlines, bool(mark.tracked))) == expected


def test_what_cannot_be_rewritten_is_said(tmp_path: Path):
    """In one line, with the rewriter's reason."""
    file = tmp_path / "a.wasm"
    file.write_bytes(b"no Wasm")
    with pytest.raises(BuildError, match="the Wasm file cannot be rewritten for `deadlines` or `rollback`: "):
        _rewrite_ahead(file, CrateOptions(deadlines=True))


def test_the_forms_of_a_file():
    """All that unpanic may make of it at load; of one that was rewritten, it makes nothing more."""
    wasm = bytes(wasmtime.wat2wasm(PLAIN))
    forms = _forms(wasm)
    assert list(forms) == [0, 1, 2, 3, 6, 7]
    assert forms[0] == wasm
    assert len(set(forms.values())) == 6
    assert _forms(forms[3]) == {3: forms[3]}
