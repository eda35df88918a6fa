"""`unpanic doctor`: what the machine lacks, and how it is installed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from unpanic_tools import machine
from unpanic_tools.cli import main

LOCK = '[[package]]\nname = "wasm-bindgen"\nversion = "0.2.130"\n\n[[package]]\nname = "x"\nversion = "1.0.0"\n'


class Machine:
    """A machine on which only those commands are installed that a test puts there."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.libraries = folder / "bin", folder / "lib"
        self.bin.mkdir()
        self.libraries.mkdir()

    def install(self, name: str, says: str) -> None:
        command = self.bin / name
        command.write_text(f"#!/bin/sh\necho '{says}'\n")
        command.chmod(0o755)

    def install_rust(self) -> None:
        self.install("cargo", "cargo 1.96.0")
        self.install("rustc", str(self.libraries))
        (self.libraries / "libstd-1.rlib").touch()


@pytest.fixture
def computer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """An empty machine, whose current folder is that of a crate."""
    computer = Machine(tmp_path)
    monkeypatch.setenv("PATH", str(computer.bin))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "browsers"))
    monkeypatch.setenv("UNPANIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(machine, "DEBIAN_RUSTC", tmp_path / "debian" / "rustc")
    (tmp_path / "crate" / "src").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "crate" / "src")
    return computer


def read(capsys: pytest.CaptureFixture[str], code: int) -> dict[str, dict]:
    assert main(["doctor", "--json"]) == code
    return {check["name"]: check for check in json.loads(capsys.readouterr().out)}


@pytest.mark.usefixtures("computer")
def test_on_an_empty_machine(capsys: pytest.CaptureFixture[str]):
    """Each missing tool has a command that installs it; without Rust, the exit code is 1."""
    checks = read(capsys, 1)
    assert {check["found"] for check in checks.values()} == {""}
    assert all(check["fixes"] for check in checks.values())
    assert [name for name, check in checks.items() if check["required"]] == ["cargo", "Rust for Wasm"]
    assert checks["Rust for Wasm"]["fixes"] == {
        "rustup": "rustup target add wasm32-unknown-unknown",
        "Debian": "apt install cargo-web rustc-web rust-web-src lld-19",
    }


def test_with_rust(computer: Machine, capsys: pytest.CaptureFixture[str]):
    """Everything else is optional."""
    computer.install_rust()
    checks = read(capsys, 0)
    assert checks["cargo"]["found"] == "cargo 1.96.0"
    assert checks["Rust for Wasm"]["found"] == str(computer.libraries)


def test_without_the_target(computer: Machine, capsys: pytest.CaptureFixture[str]):
    """A compiler without a standard library for Wasm is not enough."""
    computer.install_rust()
    (computer.libraries / "libstd-1.rlib").unlink()
    assert read(capsys, 1)["Rust for Wasm"]["found"] == ""


def test_debians_rust(computer: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """It has the source of the standard library in place of the built one."""
    computer.install("cargo", "cargo 1.96.0")
    computer.install("wasm-ld-19", "")
    (tmp_path / "lib/rustlib/src/rust/library/std").mkdir(parents=True)
    debian = machine.DEBIAN_RUSTC
    debian.parent.mkdir()
    debian.write_text(f"#!/bin/sh\necho {tmp_path}\n")
    debian.chmod(0o755)
    assert "Debian's" in read(capsys, 0)["Rust for Wasm"]["found"]


@pytest.mark.parametrize(("version", "found"), [("0.2.130", "0.2.130"), ("0.2.120", "")])
def test_the_crates_wasm_bindgen(
    version: str, found: str, computer: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """It must have the version that the crate's lock file names, which may lie in a folder above."""
    computer.install_rust()
    computer.install("wasm-bindgen", f"wasm-bindgen {version}")
    (tmp_path / "crate" / "Cargo.lock").write_text(LOCK)
    check = read(capsys, 0)["wasm-bindgen"]
    assert check["found"] == found
    assert check["fixes"] == {"cargo": "cargo install wasm-bindgen-cli --version 0.2.130"}
    assert ("0.2.120 is there" in check["purpose"]) == (not found)


def test_the_wasm_bindgen_that_a_build_has_installed(
    computer: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """It is there, although another one is on the PATH."""
    computer.install_rust()
    computer.install("wasm-bindgen", "wasm-bindgen 0.2.120")
    kept = tmp_path / "cache/wasm-bindgen/0.2.130/bin/wasm-bindgen"
    kept.parent.mkdir(parents=True)
    kept.write_text("#!/bin/sh\necho wasm-bindgen 0.2.130\n")
    kept.chmod(0o755)
    (tmp_path / "crate" / "Cargo.lock").write_text(LOCK)
    assert read(capsys, 0)["wasm-bindgen"]["found"] == "0.2.130"


@pytest.mark.parametrize(("version", "is_new"), [("v22.3.0", True), ("v16.1.0", False)])
def test_an_old_node_is_not_enough(version: str, is_new: bool, computer: Machine, capsys: pytest.CaptureFixture[str]):
    """The version is compared as a number."""
    computer.install("node", version)
    assert bool(read(capsys, 1)["Node"]["found"]) == is_new


def test_playwrights_browsers(computer: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A browser may be on the PATH, or in Playwright's folder."""
    computer.install("firefox", "")
    (tmp_path / "browsers" / "chromium-1200").mkdir(parents=True)
    checks = read(capsys, 1)
    assert checks["firefox"]["found"] == str(computer.bin / "firefox")
    assert checks["chromium"]["found"] == str(tmp_path / "browsers" / "chromium-1200")
    assert checks["webkit"]["found"] == ""


def test_for_people(computer: Machine, capsys: pytest.CaptureFixture[str]):
    """A line for each tool, and below it how to install it if it is missing."""
    computer.install("cargo", "cargo 1.96.0")
    assert main(["doctor"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "ok       cargo          cargo 1.96.0"
    assert lines[1] == "missing  Rust for Wasm  the target wasm32-unknown-unknown"
    assert lines[2].split() == ["rustup:", "rustup", "target", "add", "wasm32-unknown-unknown"]
    assert lines[-1] == "Rust for Wasm must be installed first."
