"""Runs cargo: what it knows of a crate, and the crate as a Wasm file."""

import json
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .commands import ask, capture
from .failure import BuildError
from .options import CrateOptions
from .toolchain import TARGET, Toolchain, std_source

__all__ = ["CHECKOUTS", "REGISTRY", "STD", "Crate", "compile_crate", "host_cargo", "read_crate"]

BINDGEN = "wasm-bindgen"
# What stands in a Wasm file for folders of the machine: those of crates from a registry or from Git, and of std. No
# folder of a project is called so.
REGISTRY, CHECKOUTS, STD = "cargo-registry", "cargo-git", "rust-src"
# Where several engines are to load the file: each knows this encoding of exceptions, and older ones no other.
UNWIND_FLAGS = ("-Cpanic=unwind", "-Cllvm-args=-wasm-use-legacy-eh")


@dataclass(frozen=True)
class Crate:
    """What cargo tells of a crate.

    Attributes:
        folder: that of its `Cargo.toml`.
        package_id: cargo's own name of the package.
        library: the name of its library, as Rust spells it.
        workspace: the folder of its workspace.
        target: the folder into which cargo builds.
        bindgen: the version of wasm-bindgen that its lock file names.
        bindgen_source: the folder of that wasm-bindgen's own source.
        outside: the folders of crates by path that are outside of the workspace, by the crates' names.
    """

    folder: Path
    package_id: str
    library: str
    workspace: Path
    target: Path
    bindgen: str
    bindgen_source: Path
    outside: dict[str, Path]


def read_crate(folder: Path, toolchain: Toolchain) -> Crate:
    """Asks cargo about the crate in a folder.

    Raises:
        BuildError: there is none, or it does not use wasm-bindgen, or is no library for Wasm.
    """
    manifest = folder / "Cargo.toml"
    if not manifest.is_file():
        raise BuildError(f"There is no crate in {folder}: it has no Cargo.toml. The option `crate` names the folder.")
    command = [*toolchain.cargo, "metadata", "--format-version=1", "--filter-platform", TARGET]
    metadata = json.loads(capture([*command, "--manifest-path", manifest], folder, toolchain.environment))
    packages: list[dict[str, Any]] = metadata["packages"]
    own = next((each for each in packages if Path(each["manifest_path"]).resolve() == manifest.resolve()), None)
    if own is None:
        raise BuildError(f"{manifest} is a workspace without a crate of its own: `crate` must name a member's folder.")
    used = _used(own["id"], metadata)
    bindgen = next((each for each in packages if each["name"] == BINDGEN and each["id"] in used), None)
    if bindgen is None:
        raise BuildError(f"{manifest} does not depend on {BINDGEN}: run `cargo add {BINDGEN}`.")
    workspace = Path(metadata["workspace_root"])
    by_path = {each["name"]: Path(each["manifest_path"]).parent for each in packages if each["source"] is None}
    return Crate(
        folder,
        own["id"],
        _library(own, manifest),
        workspace,
        Path(metadata["target_directory"]),
        bindgen["version"],
        Path(bindgen["manifest_path"]).parent,
        {name: place for name, place in by_path.items() if not place.is_relative_to(workspace)},
    )


def _used(package: str, metadata: dict[str, Any]) -> set[str]:
    """Returns the ids of all packages that a package needs: a lock file may have several versions of one."""
    needs = {node["id"]: node["dependencies"] for node in metadata["resolve"]["nodes"]}
    used: set[str] = set()
    todo = [package]
    while todo:
        one = todo.pop()
        if one not in used:
            used.add(one)
            todo += needs[one]
    return used


def _library(package: dict[str, Any], manifest: Path) -> str:
    for target in package["targets"]:
        if "cdylib" in target["crate_types"]:
            return str(target["name"]).replace("-", "_")
    raise BuildError(f'{manifest} makes no Wasm file: add crate-type = ["cdylib"] to its [lib].')


def compile_crate(crate: Crate, options: CrateOptions, toolchain: Toolchain, target: Path) -> Path:
    """Compiles a crate, and returns the Wasm file before wasm-bindgen has seen it.

    Args:
        crate: the crate.
        options: the profile, the strategy for panics, and the features.
        toolchain: what compiles it.
        target: the folder into which cargo builds.

    Raises:
        BuildError: it was not compiled; cargo has said why.
    """
    panic = options.panic or "abort"
    command: list[str | Path] = [*toolchain.cargo, "build", "--lib", "--message-format=json-render-diagnostics"]
    command += ["--target", TARGET, "--target-dir", target, "--manifest-path", crate.folder / "Cargo.toml"]
    command += ["--profile", options.profile]
    if options.features:
        command += ["--features", ",".join(options.features)]
    if not options.default_features:
        command.append("--no-default-features")
    if toolchain.builds_std:
        command.append(f"-Zbuild-std=std,panic_{panic}")
    environment = dict(toolchain.environment)
    if options.panic:
        environment[f"CARGO_PROFILE_{options.profile.upper().replace('-', '_')}_PANIC"] = panic
    flags = [*remapped_paths(crate, toolchain), *(UNWIND_FLAGS if panic == "unwind" else ())]
    extra, variables = _with_flags(crate.folder, flags)
    messages = capture([*command, *extra], crate.folder, environment | variables)
    return _wasm_of(messages, crate)


def _wasm_of(messages: str, crate: Crate) -> Path:
    """Finds the Wasm file in what cargo reports, one JSON object in each line."""
    for line in messages.splitlines():
        message = json.loads(line) if line.startswith("{") else {}
        if message.get("reason") == "compiler-artifact" and message["package_id"] == crate.package_id:
            for name in message["filenames"]:
                if name.endswith(".wasm"):
                    return Path(name)
    raise BuildError(f"cargo has built {crate.folder}, and reports no Wasm file.")


def remapped_paths(crate: Crate, toolchain: Toolchain) -> list[str]:
    """Returns flags that keep this machine's folders out of the Wasm file, so that each machine builds the same."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    pairs = [(folder, REGISTRY) for folder in sorted((home / "registry/src").glob("*"))]
    pairs += [(folder, CHECKOUTS) for folder in [home / "git/checkouts"] if folder.is_dir()]
    if source := std_source(toolchain, crate.folder):
        pairs += [(path, STD) for path in sorted({source, source.resolve()})]
    pairs += [(folder, name) for name, folder in sorted(crate.outside.items())]
    # Cargo names files of the workspace relative to it. Its own folder must not be in the flags: they would differ for
    # each folder into which a source distribution is unpacked, and cargo would compile everything again.
    return [f"--remap-path-prefix={old}={new}" for old, new in pairs]


def _with_flags(folder: Path, flags: list[str]) -> tuple[list[str], dict[str, str]]:
    """Returns how cargo is given flags of rustc beside the user's own: arguments, and variables.

    Cargo takes flags from one source only: a variable, or the configuration for the target, or that for all.
    """
    if "CARGO_ENCODED_RUSTFLAGS" in os.environ:
        own = [flag for flag in os.environ["CARGO_ENCODED_RUSTFLAGS"].split("\x1f") if flag]
        return [], {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join([*own, *flags])}
    if own := os.environ.get("RUSTFLAGS", "").split():
        return [], {"CARGO_ENCODED_RUSTFLAGS": "\x1f".join([*own, *flags])}
    key = "build" if _configures_all(folder) else f"target.{TARGET}"
    return ["--config", f"{key}.rustflags={json.dumps(flags)}"], {}


def _configures_all(folder: Path) -> bool:
    """Whether the user's configuration has flags for all targets, and none for Wasm, which would come first."""
    home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    places = [*(parent / ".cargo" for parent in (folder, *folder.parents)), home]
    for_all, for_wasm = "CARGO_BUILD_RUSTFLAGS" in os.environ, False
    for place in places:
        for name in ("config.toml", "config"):
            try:
                config = tomllib.loads((place / name).read_text("utf-8"))
            except (OSError, ValueError):
                continue
            for_all |= "rustflags" in config.get("build", {})
            for_wasm |= any("rustflags" in table for table in config.get("target", {}).values())
    return for_all and not for_wasm


def host_cargo() -> tuple[str, ...]:
    """The cargo that installs programs for this machine."""
    return ("cargo",) if ask(("cargo", "--version")) is not None else ("/usr/bin/cargo",)
