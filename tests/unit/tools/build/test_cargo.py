"""What the build asks cargo, and which flags it gives: cargo itself is a script here."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from unpanic_tools.build import BuildError, CrateOptions, cargo
from unpanic_tools.build.cargo import compile_crate, read_crate
from unpanic_tools.build.toolchain import Toolchain


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a crate, on a machine without any configuration."""
    for name in ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CARGO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(cargo, "std_source", lambda *_: None)
    crate = tmp_path / "crate"
    crate.mkdir()
    (crate / "Cargo.toml").touch()
    return crate


def fake_cargo(folder: Path, answer: object) -> Toolchain:
    """A cargo that answers, and notes how it was called."""
    program = folder.parent / "cargo"
    (folder.parent / "answer").write_text(json.dumps(answer))
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {folder.parent}/words\nenv > {folder.parent}/env\n')
    with program.open("a") as script:
        script.write(f"cat {folder.parent}/answer\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return Toolchain((str(program),), ("rustc",), {"MARK": "yes"})


def package(folder: Path, name: str, *kinds: str, source: str | None = None, version: str = "1.0.0") -> dict:
    return {
        "id": f"{name} {version}",
        "name": name,
        "version": version,
        "source": source,
        "manifest_path": str(folder / "Cargo.toml"),
        "targets": [{"name": name, "crate_types": list(kinds)}],
    }


def metadata(folder: Path, *packages: dict, needs: dict[str, list[str]]) -> dict:
    return {
        "packages": list(packages),
        "resolve": {"nodes": [{"id": each["id"], "dependencies": needs.get(each["id"], [])} for each in packages]},
        "workspace_root": str(folder),
        "target_directory": str(folder / "target"),
    }


def test_a_crate_is_read(folder: Path):
    """The version of wasm-bindgen is the one that this crate needs; a lock file may have others."""
    own = package(folder, "my-bank", "cdylib")
    bindgens = [
        package(folder.parent / version, "wasm-bindgen", "lib", source="registry", version=version)
        for version in ("0.2.95", "0.2.130")
    ]
    js = package(folder.parent, "js-sys", "lib", source="registry")
    needs = {"my-bank 1.0.0": ["js-sys 1.0.0"], "js-sys 1.0.0": ["wasm-bindgen 0.2.130"]}
    crate = read_crate(folder, fake_cargo(folder, metadata(folder, *bindgens, js, own, needs=needs)))
    assert (crate.library, crate.bindgen, crate.target) == ("my_bank", "0.2.130", folder / "target")
    assert crate.bindgen_source == folder.parent / "0.2.130"
    assert "MARK=yes" in (folder.parent / "env").read_text()


def test_a_crate_that_is_no_library_for_wasm(folder: Path):
    """The message has the line that Cargo.toml lacks."""
    bindgen = package(folder.parent, "wasm-bindgen", "lib", source="registry")
    needs = {"bank 1.0.0": ["wasm-bindgen 1.0.0"]}
    toolchain = fake_cargo(folder, metadata(folder, bindgen, package(folder, "bank", "lib"), needs=needs))
    with pytest.raises(BuildError, match=r'makes no Wasm file: add crate-type = \["cdylib"\] to its \[lib\]'):
        read_crate(folder, toolchain)


def test_a_crate_without_wasm_bindgen(folder: Path):
    """The message has the command that adds it."""
    toolchain = fake_cargo(folder, metadata(folder, package(folder, "bank", "cdylib"), needs={}))
    with pytest.raises(BuildError, match="does not depend on wasm-bindgen: run `cargo add wasm-bindgen`"):
        read_crate(folder, toolchain)


def test_a_folder_without_a_crate(folder: Path):
    """`crate` names another folder, or the workspace."""
    with pytest.raises(BuildError, match=r"it has no Cargo\.toml. The option `crate` names the folder"):
        read_crate(folder.parent / "elsewhere", Toolchain(("cargo",), ("rustc",)))
    toolchain = fake_cargo(folder, metadata(folder, needs={}))
    with pytest.raises(BuildError, match="`crate` must name a member's folder"):
        read_crate(folder, toolchain)


def compiled(folder: Path, **options: object) -> tuple[list[str], str]:
    """Compiles, and returns the words that cargo got, and its environment."""
    bindgen = package(folder.parent, "wasm-bindgen", "lib", source="registry")
    own = package(folder, "bank", "cdylib")
    answer = metadata(folder, bindgen, own, needs={"bank 1.0.0": ["wasm-bindgen 1.0.0"]})
    crate = read_crate(folder, fake_cargo(folder, answer))
    artifact = {
        "reason": "compiler-artifact",
        "package_id": crate.package_id,
        "filenames": ["/a/bank.rlib", "/a/b.wasm"],
    }
    toolchain = fake_cargo(folder, artifact)
    assert compile_crate(crate, CrateOptions(**options), toolchain, folder / "target") == Path("/a/b.wasm")
    return (folder.parent / "words").read_text().splitlines(), (folder.parent / "env").read_text()


def test_options_are_cargos(folder: Path):
    """Profile, features and the strategy for panics."""
    words, environment = compiled(
        folder, profile="my-small", features=("a", "b"), default_features=False, panic="abort"
    )
    assert words[words.index("--profile") + 1] == "my-small"
    assert words[words.index("--features") + 1] == "a,b"
    assert "--no-default-features" in words
    assert "CARGO_PROFILE_MY_SMALL_PANIC=abort" in environment


@pytest.mark.parametrize("variable", ["RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS"])
def test_the_users_flags_in_a_variable_stay(folder: Path, monkeypatch: pytest.MonkeyPatch, variable: str):
    """Those of the build come after them."""
    (folder.parent / "home/registry/src/index").mkdir(parents=True)
    monkeypatch.setenv(variable, "--cfg=mine")
    words, environment = compiled(folder)
    remap = f"--remap-path-prefix={folder.parent}/home/registry/src/index=cargo-registry"
    assert f"CARGO_ENCODED_RUSTFLAGS=--cfg=mine\x1f{remap}" in environment
    assert "--config" not in words


@pytest.mark.parametrize(
    ("config", "key"),
    [
        ("", "target.wasm32-unknown-unknown"),
        ('[target.wasm32-unknown-unknown]\nrustflags = ["--cfg=mine"]', "target.wasm32-unknown-unknown"),
        ('[build]\nrustflags = ["--cfg=mine"]', "build"),
    ],
)
def test_the_users_flags_in_the_configuration_stay(folder: Path, config: str, key: str):
    """Cargo takes them from one table only: the flags of the build go into the same."""
    (folder.parent / ".cargo").mkdir()
    (folder.parent / ".cargo/config.toml").write_text(config)
    words, _ = compiled(folder)
    assert words[words.index("--config") + 1].startswith(f"{key}.rustflags=[")
