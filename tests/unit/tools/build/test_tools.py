"""The programs that a build needs: where they are found, and what is said if they are missing."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from unpanic_tools.build import BuildError, toolchain
from unpanic_tools.build.bindgen import find_bindgen
from unpanic_tools.build.package import optimize
from unpanic_tools.build.toolchain import find_toolchain


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH, which is empty; Debian's programs are not found, and the cache is empty."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("UNPANIC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("WASM_BINDGEN", raising=False)
    monkeypatch.setattr(toolchain, "DEBIAN", tmp_path / "debian")
    return folder


def add(folder: Path, name: str, script: str) -> Path:
    """Adds a program, which is a shell script."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return program


def add_rust(programs: Path, libraries: Path) -> None:
    add(programs, "cargo", 'echo "cargo 1.95.0"')
    add(programs, "rustc", f'[ "$1" = --version ] && echo "rustc 1.95.0" || echo {libraries}')


def test_the_installed_toolchain_is_taken(programs: Path, tmp_path: Path):
    """If it has a standard library for Wasm."""
    add_rust(programs, tmp_path)
    (tmp_path / "libstd-0a1b.rlib").touch()
    found = find_toolchain(tmp_path, unwind=False)
    assert (found.cargo, found.rustc, found.builds_std, found.environment) == (("cargo",), ("rustc",), False, {})


def test_without_rust(programs: Path, tmp_path: Path):
    """The message has the commands for rustup and for Debian."""
    assert not list(programs.iterdir())
    with pytest.raises(BuildError) as caught:
        find_toolchain(tmp_path, unwind=False)
    assert str(caught.value) == (
        "Rust is not installed: see https://rustup.rs, then `rustup target add wasm32-unknown-unknown`; or on Debian "
        "`apt install cargo-web rustc-web rust-web-src lld-19`."
    )


def test_without_the_target(programs: Path, tmp_path: Path):
    """Rust is there, and its standard library for Wasm is not."""
    add_rust(programs, tmp_path)
    with pytest.raises(BuildError) as caught:
        find_toolchain(tmp_path, unwind=False)
    assert str(caught.value) == (
        "rustc 1.95.0 cannot compile for Wasm yet: run `rustup target add wasm32-unknown-unknown`; or on Debian "
        "`apt install cargo-web rustc-web rust-web-src lld-19`."
    )


def test_without_nightly(programs: Path, tmp_path: Path):
    """A build that unwinds needs the source of the standard library."""
    add_rust(programs, tmp_path)
    (tmp_path / "libstd-0a1b.rlib").touch()
    with pytest.raises(BuildError, match="`rustup toolchain install nightly --component rust-src --target wasm32-"):
        find_toolchain(tmp_path, unwind=True)


def add_source(sysroot: Path) -> None:
    """Adds the source of the standard library, as rustup and Debian do."""
    (sysroot / "lib/rustlib/src/rust/library/std").mkdir(parents=True)


def test_nightly_is_taken_for_builds_that_unwind(programs: Path, tmp_path: Path):
    """If it has the source of the standard library; rustup tells by `+nightly`."""
    add(programs, "cargo", 'echo "$@" | { read -r a b; [ "$a $b" = "+nightly --version" ]; }')
    add(programs, "rustc", f'[ "$*" = "+nightly --print sysroot" ] && echo {tmp_path}/nightly')
    with pytest.raises(BuildError, match="--component rust-src"):
        find_toolchain(tmp_path, unwind=True)
    add_source(tmp_path / "nightly")
    found = find_toolchain(tmp_path, unwind=True)
    assert (found.cargo, found.rustc, found.builds_std) == (("cargo", "+nightly"), ("rustc", "+nightly"), True)


@pytest.mark.parametrize("missing", ["", "cargo-web", "rustc-web", "rust-web-src", "lld-19"])
@pytest.mark.parametrize("unwind", [False, True])
def test_debians_packages(programs: Path, tmp_path: Path, missing: str, unwind: bool):
    """They build the standard library for either strategy. If one is missing, the message names it alone."""
    debian = tmp_path / "debian"
    if missing != "cargo-web":
        add(debian, "cargo", 'echo "cargo 1.96.0"')
    if missing != "rustc-web":
        add(debian, "rustc", f"echo {tmp_path}/usr")
    if missing != "lld-19":
        add(programs, "wasm-ld-19", "")
    if missing != "rust-web-src":
        add_source(tmp_path / "usr")
    if not missing:
        found = find_toolchain(tmp_path, unwind=unwind)
        assert (found.cargo, found.builds_std) == ((str(debian / "cargo"),), True)
        assert found.environment["RUSTC"] == str(debian / "rustc")
        return
    with pytest.raises(BuildError) as caught:
        find_toolchain(tmp_path, unwind=unwind)
    # Without a compiler, its source cannot be found either.
    packages = "rustc-web rust-web-src" if missing == "rustc-web" else missing
    assert f"on Debian `apt install {packages}`." in str(caught.value)


def test_wasm_bindgen_on_the_path(programs: Path):
    """In the crate's version it is taken as it is."""
    program = add(programs, "wasm-bindgen", 'echo "wasm-bindgen 0.2.130"')
    assert find_bindgen("0.2.130") == str(program)


def test_wasm_bindgen_is_installed_once(programs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """In the crate's version, into the cache, if the one on PATH is another."""
    add(programs, "wasm-bindgen", 'echo "wasm-bindgen 0.2.95"')
    root = tmp_path / "cache/wasm-bindgen/0.2.130"
    folder = root / "bin"
    new = add(tmp_path, "new", 'echo "wasm-bindgen 0.2.130"')
    install = f"/bin/mkdir -p {folder}; /bin/cp {new} {folder}/wasm-bindgen"
    add(programs, "cargo", f'echo "$@" >> {tmp_path}/calls\n[ "$1" = --version ] || {{ {install}; }}')
    for _ in range(2):
        assert find_bindgen("0.2.130") == str(folder / "wasm-bindgen")
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if line != "--version"]
    assert calls == [f"install wasm-bindgen-cli --version=0.2.130 --root {root} --locked"]
    said = capfd.readouterr().err
    assert "the crate needs the command of wasm-bindgen 0.2.130, and the one on PATH is wasm-bindgen 0.2.95" in said


def test_a_lock_file_that_names_what_is_gone(programs: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    """Then the command is installed without it."""
    folder = tmp_path / "cache/wasm-bindgen/0.2.130/bin"
    new = add(tmp_path, "new", 'echo "wasm-bindgen 0.2.130"')
    install = f"/bin/mkdir -p {folder}; /bin/cp {new} {folder}/wasm-bindgen"
    add(programs, "cargo", f'case "$*" in *--locked) exit 101;; install*) {install};; esac')
    assert find_bindgen("0.2.130") == str(folder / "wasm-bindgen")
    assert "its lock file may name some that are gone" in capfd.readouterr().err


def test_wasm_bindgen_cannot_be_installed(programs: Path):
    """The message has the command, which the user may run by hand."""
    add(programs, "cargo", '[ "$1" = --version ] || exit 3')
    with pytest.raises(BuildError, match=r"`cargo install wasm-bindgen-cli --version=0\.2\.130` does it"):
        find_bindgen("0.2.130")


@pytest.mark.usefixtures("programs")
def test_a_named_wasm_bindgen_must_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`$WASM_BINDGEN` is the user's word: another version is an error."""
    program = add(tmp_path, "mine", 'echo "wasm-bindgen 0.2.95"')
    monkeypatch.setenv("WASM_BINDGEN", str(program))
    assert find_bindgen("0.2.95") == str(program)
    with pytest.raises(BuildError, match=r"wasm-bindgen 0\.2\.95, but the crate needs wasm-bindgen 0\.2\.130"):
        find_bindgen("0.2.130")
    monkeypatch.setenv("WASM_BINDGEN", os.devnull)
    with pytest.raises(BuildError, match="which does not run"):
        find_bindgen("0.2.130")


def test_wasm_opt_keeps_names(programs: Path, tmp_path: Path):
    """Frames of a crash are read from the names of functions."""
    wasm = tmp_path / "bank_bg.wasm"
    wasm.write_bytes(b"large")
    add(programs, "wasm-opt", f'echo "$@" > {tmp_path}/words; printf small > "$5"')
    optimize(wasm, ("-Oz",))
    assert wasm.read_bytes() == b"small"
    assert (tmp_path / "words").read_text().split() == [str(wasm), "-Oz", "-g", "-o", str(tmp_path / "bank_bg.smaller")]


def test_without_wasm_opt(programs: Path, tmp_path: Path):
    """The message has the commands, and the way to do without."""
    assert not list(programs.iterdir())
    with pytest.raises(BuildError, match="run `npm install --global binaryen`, or on Debian 13 `apt install"):
        optimize(tmp_path / "bank_bg.wasm", ("-O",))


def test_an_old_wasm_opt(programs: Path, tmp_path: Path):
    """It cannot read what Rust writes; the message has its version, and the command that brings a newer one."""
    add(programs, "wasm-opt", '[ "$1" = --version ] && echo "wasm-opt version 108" || exit 1')
    with pytest.raises(BuildError, match=r"with status 1.* This is wasm-opt version 108; if it is too old .*npm"):
        optimize(tmp_path / "bank_bg.wasm", ("-O",))
