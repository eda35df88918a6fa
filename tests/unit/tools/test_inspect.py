"""`unpanic inspect`: what is read from the files of a package."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path

import pytest
import wasmtime
from unpanic_tools.cli import main
from unpanic_tools.facts import WasmFacts
from unpanic_tools.package import target_of

ROOT = Path(__file__).parents[3]
BANK = ROOT / "rust/fixtures/bank/pkg"
HOOKLESS = ROOT / "rust/fixtures/hookless/pkg/abort"
SILENT = ROOT / "rust/fixtures/silent/pkg/abort"

pytestmark = pytest.mark.usefixtures("package")


def read(path: Path, capsys: pytest.CaptureFixture[str]) -> dict:
    assert main(["inspect", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_a_package_is(capsys: pytest.CaptureFixture[str]):
    """The versions, the target, the sizes and the frames."""
    found = read(BANK / "abort", capsys)
    assert (found["target"], found["wasm_bindgen"], found["rustc"]) == ("web", "0.2.130", "1.96.0")
    assert (found["wasm"], found["glue"]) == ("bank_bg.wasm", "bank.js")
    assert found["wasm_bytes"] == (BANK / "abort/bank_bg.wasm").stat().st_size
    assert 0 < found["gzip_bytes"] < found["wasm_bytes"]
    assert (found["has_names"], found["has_debug"]) == (True, False)


@pytest.mark.parametrize(
    ("build", "panic", "recovery"), [("abort", "abort", "rollback"), ("unwind", "unwind", "unwind")]
)
def test_what_a_crash_costs(build: str, panic: str, recovery: str, capsys: pytest.CaptureFixture[str]):
    """The strategy is what `load` would choose, and both changes can be made."""
    found = read(BANK / build, capsys)
    assert (found["panic"], found["recovery"]) == (panic, recovery)
    assert found["rollback"]["possible"]
    assert found["rollback"]["wasm_bytes"] > found["wasm_bytes"]
    assert found["deadlines"]["possible"]


@pytest.mark.parametrize(
    ("folder", "hook"), [(BANK / "abort", "setPanicHook"), (HOOKLESS, "console_error_panic_hook"), (SILENT, "")]
)
def test_the_hook(folder: Path, hook: str, capsys: pytest.CaptureFixture[str]):
    """It is known by what it exports, or by what it prints."""
    assert read(folder, capsys)["hook"] == hook


def test_what_each_export_takes(capsys: pytest.CaptureFixture[str]):
    """The signatures are those of the stub, with classes, properties and async functions."""
    exports = read(BANK / "abort", capsys)["exports"]
    assert "add(a: int, b: int) -> int" in exports
    assert "Account(owner: str, balance: int)" in exports
    assert "Account.balance: int" in exports
    assert "async slow(ms: int) -> float" in exports
    assert not [line for line in exports if "__" in line]


def test_a_file_without_glue(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The exports take what the Wasm file says."""
    (tmp_path / "sum.wasm").write_bytes(
        wasmtime.wat2wasm('(module (func (export "sum") (param i32 f64) (result f64) local.get 1))')
    )
    found = read(tmp_path / "sum.wasm", capsys)
    assert found["exports"] == ["sum(i32, f64) -> f64"]
    assert (found["target"], found["glue"], found["wasm_bindgen"]) == ("", "", "")


def test_what_cannot_be_undone(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The rewriter's own reason is the answer."""
    (tmp_path / "threads.wasm").write_bytes(wasmtime.wat2wasm("(module (memory 1 1 shared))"))
    found = read(tmp_path / "threads.wasm", capsys)
    assert found["rollback"]["why"] == "it uses threads (a shared memory)"
    assert found["recovery"] == "reset"
    assert found["why"] == "its calls cannot be rolled back: it uses threads (a shared memory)"


def test_a_rewritten_file_is_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """It was rewritten for one thing, and cannot be rewritten for the other."""
    assert main(["rewrite", str(BANK / "abort/bank_bg.wasm"), str(tmp_path / "bank.wasm"), "--deadlines"]) == 0
    capsys.readouterr()
    found = read(tmp_path / "bank.wasm", capsys)
    assert found["deadlines"] == {
        "possible": True,
        "why": "the file was rewritten before",
        "wasm_bytes": found["wasm_bytes"],
    }
    assert not found["rollback"]["possible"]


def test_a_wheel(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """The package is looked for inside."""
    wheel = tmp_path / "bank-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in (BANK / "abort").iterdir():
            archive.write(file, f"bank/{file.name}")
    assert read(wheel, capsys)["glue"] == "bank.js"


def test_exact_types(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Where a package has the types of Rust, as the build hook writes them, they are shown."""
    package = shutil.copytree(BANK / "abort", tmp_path / "exact")
    declarations = package / "bank.d.ts"
    text = declarations.read_text().replace("add(a: number, b: number): number;", "add(a: u8, b: i16 | null): u32;")
    declarations.write_text("type u8 = number;\ntype i16 = number;\ntype u32 = number;\n" + text)
    assert "add(a: u8, b: i16 | None) -> u32" in read(package, capsys)["exports"]


def test_for_people(capsys: pytest.CaptureFixture[str]):
    """Each fact has a line, and each export."""
    assert main(["inspect", str(BANK / "abort")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2] == "made by    wasm-bindgen 0.2.130, rustc 1.96.0"
    assert (
        lines[4] == "a crash    rollback, because its Wasm file can be rewritten, so that a failed call can be undone"
    )
    assert "  add(a: int, b: int) -> int" in lines


def test_what_is_no_package(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One line says what is there, and what to name."""
    two = tmp_path / "two"
    for name in ("a", "b"):
        shutil.copytree(BANK / "abort", two / name)
    empty, text, wheel, lonely = (tmp_path / name for name in ("empty", "a.txt", "b.whl", "lonely.js"))
    empty.mkdir()
    for path in (text, wheel, lonely):
        path.write_text("text")
    broken = tmp_path / "broken.wasm"
    broken.write_bytes(b"\0asm\1\0\0\0\2\xff")
    for path, says in {
        tmp_path / "gone": "is not there.",
        empty: "has no Wasm file.",
        two: f"has 2 Wasm files: name one of them: {two}/a/bank_bg.wasm, {two}/b/bank_bg.wasm.",
        text: "is neither a folder, a wheel, a Wasm file, nor the glue of one",
        wheel: "is not a wheel: ",
        lonely: "is no lonely_bg.wasm: name the Wasm file of this glue instead.",
        broken: "cannot be inspected: this Wasm file is damaged.",
    }.items():
        assert main(["inspect", str(path)]) == 1
        printed = capsys.readouterr().err
        assert says in printed
        assert printed.count("\n") == 1


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for what the npm of the test packs, which knows one package with two builds."""
    package = tmp_path / "npm" / "package"
    for build in ("web", "node"):
        shutil.copytree(BANK / "abort", package / build)
    (package / "package.json").write_text(json.dumps({"browser": "web/bank.js", "main": "node/bank.js"}))
    command = tmp_path / "bin" / "npm"
    command.parent.mkdir()
    command.write_text(
        "#!/bin/sh\n"
        f'echo "$@" > {tmp_path}/words\n'
        'for name; do :; done; [ "$name" = bank@1.0.0 ] || { echo "npm error code E404" >&2; exit 1; }\n'
        f"tar -czf bank-1.0.0.tgz -C {package.parent} package\n"
    )
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return package


def test_a_package_of_npm(npm: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """By its name it is downloaded; of several builds it is the one for browsers, or the named one."""
    assert main(["inspect", "npm:bank@1.0.0", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["glue"] == "bank.js"
    assert "--ignore-scripts" in (tmp_path / "words").read_text()
    (npm / "node" / "bank.js").write_text("module.exports.add = add;\nrequire('path')")
    assert main(["inspect", "npm:bank@1.0.0/node/bank.js", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["target"] == "nodejs"
    assert read(npm, capsys)["target"] == "web"  # as in node_modules


@pytest.mark.usefixtures("npm")
@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("npm:../bank", "npm:../bank is no name on npm: write npm:NAME, npm:NAME@VERSION or npm:NAME@VERSION/path."),
        ("npm:-x", "npm:-x is no name on npm"),
        ("npm:gone", "npm:gone cannot be downloaded: npm has no such package."),
        ("npm:bank@1.0.0/gone", "bank@1.0.0 has no gone: `unpanic inspect npm:bank@1.0.0` looks for its Wasm files."),
        ("npm:bank@1.0.0/../..", "bank@1.0.0 has no ../..: "),
        ("prql-js", "prql-js is not there. On npm, a package is named npm:prql-js."),
    ],
)
def test_no_package_of_npm(name: str, says: str, capsys: pytest.CaptureFixture[str]):
    """One line says what is wrong with the name."""
    assert main(["inspect", name]) == 1
    printed = capsys.readouterr().err
    assert says in printed
    assert printed.count("\n") == 1


def test_npm_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """The line says how to install it."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["inspect", "npm:bank"]) == 1
    assert "npm:bank cannot be downloaded without npm: `apt install npm`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("glue", "target"),
    [
        ("let wasm;\nexport { initSync, __wbg_init as default };", "web"),
        ("let wasm;export{a as b,initSync as initSync};", "web"),
        ("export * from './bank_bg.js';", "bundler"),
        ("import * as wasm from './bank_bg.wasm';", "bundler"),
        ("let imports = {};\nmodule.exports.add = add;\nconst path = require('path').join(__dirname);", "nodejs"),
        ("import { readFileSync } from 'node:fs';\nexport function add() {}", "experimental-nodejs-module"),
        ("export function add() {}\nconst wasmCode = await Deno.readFile(url);", "deno"),
        ("let wasm_bindgen;\n(function() { const __exports = {}; })();", "no-modules"),
        ("import source wasmModule from './bank_bg.wasm';", "module"),
        ("console.log(1);", ""),
    ],
)
def test_the_target_is_known_by_the_glue(glue: str, target: str):
    """Each target has a way of its own to get the Wasm file."""
    assert target_of(glue) == target


def test_facts_of_a_damaged_file():
    """A section that is longer than the file is damage."""
    whole = wasmtime.wat2wasm('(module (import "wbg" "f" (func)) (memory 1))')
    assert WasmFacts.of(whole).imports == [("wbg", "f")]
    assert WasmFacts.of(whole).needs_glue
    with pytest.raises(ValueError, match="damaged"):
        WasmFacts.of(whole[:-3])
