#!/usr/bin/env python3
"""Builds the fixtures: every crate in `fixtures/`, in every mode, into `fixtures/<crate>/pkg/<mode>/`.

    python3 rust/build.py                          all of them
    python3 rust/build.py bank --mode abort        one crate, one mode
    python3 rust/build.py --lint                   checks format, clippy, tests, and the helper crate's versions

| mode         | panics                      | wasm-bindgen                                                |
| ------------ | --------------------------- | ----------------------------------------------------------- |
| abort        | trap                        | plain                                                       |
| reset        | trap                        | `--experimental-reset-state-function`                       |
| handler      | trap                        | the same, and `--force-enable-abort-handler` (some crates)  |
| unwind       | run destructors, then throw | plain; std is rebuilt with `panic=unwind`                   |
| unwind-reset | run destructors, then throw | `--experimental-reset-state-function` (some crates)         |
| mvp          | trap                        | plain; for the first engines that had Wasm (some crates)    |
| nameless     | trap                        | `--remove-name-section` (some crates)                       |

The script uses the first of two toolchains that is complete: rustup's (with the target `wasm32-unknown-unknown`; the
modes `unwind` and `mvp` need nightly with `rust-src`), or Debian's packages `cargo-web rustc-web rust-web-src lld-19`.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

HERE = Path(__file__).resolve().parent
FIXTURES = HERE / "fixtures"
TARGET_DIR = HERE / "target"
TARGET = "wasm32-unknown-unknown"
MODES = ("abort", "reset", "unwind", "handler", "unwind-reset", "mvp", "nameless")
# The panic strategy with which a mode is compiled; the default is `abort`.
STRATEGIES = {"unwind": "unwind", "unwind-reset": "unwind", "mvp": "mvp"}
# Modes in which only some crates are built. The first two modes test wasm-bindgen's own recovery. The mode `mvp` gives
# glue like that of many published packages, with a heap array and a stack pointer that JavaScript moves. The mode
# `nameless` gives a Wasm file without its name section.
SPECIAL = {
    "handler": ("reinit", "throws"),
    "unwind-reset": ("reinit",),
    "mvp": ("juggle", "people", "tasks", "throws", "undo", "views"),
    "nameless": ("blame",),
}
# wasm-bindgen's other targets, which are written for some crates in the mode `abort`. Only the glue differs from that
# for the web, so only the glue is kept, in `fixtures/<crate>/targets/<target>/`.
TARGETS = ("deno", "experimental-nodejs-module", "module", "no-modules", "nodejs")
WITH_TARGETS = ("people",)
# Crates with a workspace of their own, which become Wasm files without glue: plain.py builds them.
PLAIN = ("rewriter", "smith")
BINDGEN_VERSION = "0.2.130"  # must equal the crate's version in Cargo.toml
RESET_STATE = "--experimental-reset-state-function"
BINDGEN_FLAGS = {
    "reset": [RESET_STATE],
    "handler": [RESET_STATE, "--force-enable-abort-handler"],
    "unwind-reset": [RESET_STATE],
    "nameless": ["--remove-name-section"],
}
DEBIAN_CARGO = Path("/usr/bin/cargo")
DEBIAN_LINKER = "wasm-ld-19"
DEBIAN_PACKAGES = "cargo-web rustc-web rust-web-src lld-19"

# Committed files may not hold an absolute path of the machine that built them. Paths of std in rustup's toolchains
# (`/rustc/<hash>/library/...`) are the same everywhere.
MACHINE_PATH = re.compile(
    rb"(?<![\w./-])(?:/(?:root|home|Users|usr|work|tmp|opt|build|mnt|var|private)/|[A-Za-z]:\\Users\\)[\w./\\-]*"
)


# A crate that uses the helper crate as its documentation says.
USER = {
    "Cargo.toml": """\
[workspace]
resolver = "2"
members = ["user"]
""",
    "user/Cargo.toml": """\
[package]
name = "user"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
unpanic = { path = "../unpanic" }
wasm-bindgen = "0.2"
""",
    "user/src/lib.rs": """\
use unpanic as _;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn add(a: i32, b: i32) -> i32 {
    a + b
}
""",
}


class BuildError(Exception):
    """The build cannot go on; the message says what went wrong and what to do."""


@dataclass(frozen=True)
class Toolchain:
    """A way to run cargo for Wasm."""

    name: str
    cargo: tuple[str, ...]
    rustc: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    builds_std: bool = False  # there is no precompiled std for Wasm with this panic strategy


def say(text: str) -> None:
    print(f"build: {text}", flush=True)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run `command` in the workspace and show its output."""
    say(" ".join(command))
    try:
        subprocess.run(command, cwd=HERE, env={**os.environ, **(environment or {})}, check=True)
    except FileNotFoundError:
        raise BuildError(f"{command[0]} is not installed.") from None
    except subprocess.CalledProcessError as error:
        raise BuildError(f"{command[0]} failed with status {error.returncode}.") from None


def output(*command: str, environment: dict[str, str] | None = None) -> str | None:
    """The standard output of `command`, or None if it cannot be run or fails."""
    try:
        env = {**os.environ, **(environment or {})}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


# toolchains


def target_libraries(rustc: tuple[str, ...]) -> bool:
    """Whether `rustc` has a precompiled std for Wasm."""
    folder = output(*rustc, "--print", "target-libdir", "--target", TARGET)
    return folder is not None and any(Path(folder).glob("libstd-*.rlib"))


def std_source(rustc: tuple[str, ...]) -> Path | None:
    """The folder that holds `library/std`, if its source is installed."""
    sysroot = output(*rustc, "--print", "sysroot")
    folder = Path(sysroot or "/nonexistent", "lib", "rustlib", "src", "rust")
    return folder if (folder / "library" / "std").is_dir() else None


def rustup_toolchain(own_std: bool) -> Toolchain | None:
    if own_std:
        cargo, rustc = ("cargo", "+nightly"), ("rustc", "+nightly")
        complete = output(*cargo, "--version") and std_source(rustc)
        return Toolchain("rustup nightly, std built from source", cargo, rustc, builds_std=True) if complete else None
    cargo, rustc = ("cargo",), ("rustc",)
    if output(*cargo, "--version") and target_libraries(rustc):
        return Toolchain("the cargo on PATH, with its own std for Wasm", cargo, rustc)
    return None


def debian_toolchain() -> Toolchain | None:
    rustc = (str(DEBIAN_CARGO.with_name("rustc")),)
    if not DEBIAN_CARGO.is_file() or not shutil.which(DEBIAN_LINKER) or not std_source(rustc):
        return None
    environment = {
        # Debian's cargo must not find rustup's rustc.
        "PATH": f"{DEBIAN_CARGO.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "RUSTC_BOOTSTRAP": "1",  # allows -Zbuild-std on a stable compiler
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": DEBIAN_LINKER,
    }
    name = "Debian's packages, std built from source"
    return Toolchain(name, (str(DEBIAN_CARGO),), rustc, environment, builds_std=True)


def find_toolchain(own_std: bool) -> Toolchain:
    """The first toolchain that is complete. With `own_std`, std has to be compiled for the panic strategy."""
    toolchain = rustup_toolchain(own_std) or debian_toolchain()
    if toolchain:
        return toolchain
    wanted = (
        "rustup toolchain install nightly --component rust-src --target wasm32-unknown-unknown"
        if own_std
        else "rustup target add wasm32-unknown-unknown"
    )
    debian = f"apt-get install {DEBIAN_PACKAGES}"
    raise BuildError(f"No Rust toolchain for {TARGET}. Run `{wanted}`, or on Debian `{debian}`.")


# cargo


def remapped_paths(toolchain: Toolchain, crates: list[str]) -> list[str]:
    """Flags that keep this machine's folders out of the Wasm."""
    cargo_home = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    pairs = [(folder, "crates") for folder in sorted((cargo_home / "registry" / "src").glob("*"))]
    source = std_source(toolchain.rustc)
    if source:
        pairs += [(path, "rust") for path in sorted({source, source.resolve()})]
    pairs.append((HERE, "."))
    # Cargo names a member's files relative to the workspace, but a fixture must look like a crate of its own.
    pairs += [(f"fixtures/{crate}/src", "src") for crate in crates]
    return [f"--remap-path-prefix={old}={new}" for old, new in pairs]


def fetch(toolchain: Toolchain) -> None:
    """Unpack every crate before flags name the folders of the crates: a first build would miss them."""
    run([*toolchain.cargo, "fetch", "--quiet", "--target", TARGET], toolchain.environment)


def compile_crates(toolchain: Toolchain, crates: list[str], strategy: str) -> Path:
    """Compile to Wasm, and return the folder of the Wasm files."""
    fetch(toolchain)
    panic = "unwind" if strategy == "unwind" else "abort"
    # Each strategy has its own folder: the strategies share no files, and none should evict those of another.
    target_dir = TARGET_DIR / strategy
    flags = remapped_paths(toolchain, crates_with_fixtures())
    command = [*toolchain.cargo, "build", "--release", "--target", TARGET, "--target-dir", str(target_dir)]
    environment = dict(toolchain.environment, CARGO_PROFILE_RELEASE_PANIC=panic)
    if toolchain.builds_std:
        command.append(f"-Zbuild-std=std,panic_{panic}")
    if strategy == "mvp":
        # Without multiple results and references in Wasm, wasm-bindgen writes glue as it did before 2024.
        flags.append("-Ctarget-cpu=mvp")
    if strategy == "unwind":
        # Every engine knows this encoding of exceptions; Node 20 and older browsers refuse the newer one.
        flags += ["-Cpanic=unwind", "-Cllvm-args=-wasm-use-legacy-eh"]
    for crate in crates:
        command += ["--package", crate]
    run(command, {**environment, "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags)})
    return target_dir / TARGET / "release"


# wasm-bindgen


def is_right_bindgen(command: str | Path | None) -> bool:
    return bool(command) and output(str(command), "--version") == f"wasm-bindgen {BINDGEN_VERSION}"


def find_bindgen() -> str:
    """The command wasm-bindgen: from $WASM_BINDGEN, from PATH, or installed below target/."""
    named = os.environ.get("WASM_BINDGEN")
    if named:
        if not is_right_bindgen(named):
            raise BuildError(f"$WASM_BINDGEN is {named!r}, which is not wasm-bindgen {BINDGEN_VERSION}.")
        return named
    on_path = shutil.which("wasm-bindgen")
    if on_path and is_right_bindgen(on_path):
        return on_path
    root = TARGET_DIR / "wasm-bindgen"
    own = root / "bin" / "wasm-bindgen"
    if not is_right_bindgen(own):
        say(f"no wasm-bindgen {BINDGEN_VERSION} on PATH or at $WASM_BINDGEN: installing it, which takes minutes")
        run(["cargo", "install", "wasm-bindgen-cli", "--version", f"={BINDGEN_VERSION}", "--root", str(root)])
    return str(own)


def bind(bindgen: str, wasm: Path, mode: str, folder: Path) -> None:
    """Write the glue and the Wasm for it."""
    shutil.rmtree(folder, ignore_errors=True)
    run([bindgen, "--target", "web", *BINDGEN_FLAGS.get(mode, []), "--out-dir", str(folder), str(wasm)])
    kept = {f"{wasm.stem}.js", f"{wasm.stem}.d.ts", f"{wasm.stem}_bg.wasm"}
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    check_paths(folder)


def bind_targets(bindgen: str, wasm: Path, crate: str) -> None:
    """Write the glue of the other targets."""
    web = FIXTURES / crate / "pkg" / "abort" / f"{crate}_bg.wasm"
    for target in TARGETS:
        folder = FIXTURES / crate / "targets" / target
        shutil.rmtree(folder, ignore_errors=True)
        run([bindgen, "--target", target, "--out-dir", str(folder), str(wasm)])
        if (folder / web.name).read_bytes() != web.read_bytes():
            raise BuildError(f"The Wasm file of the target {target} differs from that for the web: keep it, too.")
        for path in folder.iterdir():
            if path.name != f"{crate}.js":
                path.unlink()
        check_paths(folder)


def check_paths(folder: Path) -> None:
    """Refuse files that name a folder of this machine."""
    for path in sorted(folder.iterdir()):
        machine_paths = sorted(set(MACHINE_PATH.findall(path.read_bytes())))
        if machine_paths:
            names = ", ".join(name.decode(errors="replace") for name in machine_paths[:5])
            raise BuildError(f"{path.relative_to(HERE)} holds paths of this machine: {names}. See remapped_paths.")


# commands


def crates_with_fixtures() -> list[str]:
    return sorted(path.parent.name for path in FIXTURES.glob("*/Cargo.toml"))


def build(crates: list[str], modes: list[str]) -> None:
    bindgen = find_bindgen()
    say(f"wasm-bindgen {BINDGEN_VERSION}: {bindgen}")
    for strategy in ("abort", "unwind", "mvp"):
        wanted = [mode for mode in modes if STRATEGIES.get(mode, "abort") == strategy]
        built = [crate for crate in crates if any(is_built(crate, mode) for mode in wanted)]
        if not built:
            continue
        toolchain = find_toolchain(strategy != "abort")
        say(f"{' and '.join(wanted)}: {toolchain.name}")
        release = compile_crates(toolchain, built, strategy)
        for crate in built:
            for mode in filter(partial(is_built, crate), wanted):
                bind(bindgen, release / f"{crate}.wasm", mode, FIXTURES / crate / "pkg" / mode)
            if "abort" in wanted and crate in WITH_TARGETS:
                bind_targets(bindgen, release / f"{crate}.wasm", crate)
    report(crates, modes)


def is_built(crate: str, mode: str) -> bool:
    return crate in SPECIAL.get(mode, (crate,))


def report(crates: list[str], modes: list[str]) -> None:
    for crate in crates:
        for mode in filter(partial(is_built, crate), modes):
            wasm = FIXTURES / crate / "pkg" / mode / f"{crate}_bg.wasm"
            say(f"{wasm.relative_to(HERE)}: {wasm.stat().st_size:,} bytes")


def lint() -> None:
    """Check format, clippy, unit tests and versions for this machine, where the crates need no std for Wasm."""
    for tool in ("fmt", "clippy"):
        if output("cargo", tool, "--version") is None:
            raise BuildError(f"cargo {tool} is not installed: with rustup, `rustup component add rustfmt clippy`.")
    host_dir = ["--target-dir", str(TARGET_DIR / "host")]
    run(["cargo", "fmt", "--all", "--check"])
    run(["cargo", "clippy", "--quiet", "--workspace", "--all-targets", *host_dir, "--", "-D", "warnings"])
    run(["cargo", "test", "--quiet", "--package", "unpanic", *host_dir])
    for crate in PLAIN:
        manifest = ["--manifest-path", str(HERE / crate / "Cargo.toml")]
        run(["cargo", "fmt", *manifest, "--check"])
        run(["cargo", "clippy", "--quiet", *manifest, "--all-targets", *host_dir, "--", "-D", "warnings"])
        run(["cargo", "test", "--quiet", *manifest, *host_dir])
    check_range()


def check_range() -> None:
    """Compile the helper crate in a user's crate, with the oldest and the newest wasm-bindgen that it allows."""
    manifest = (HERE / "unpanic" / "Cargo.toml").read_text(encoding="utf-8")
    oldest = re.search(r'^wasm-bindgen = ">=([\d.]+), <[\d.]+"$', manifest, re.MULTILINE)
    if oldest is None:
        raise BuildError('unpanic/Cargo.toml must give wasm-bindgen as a range: ">=0.2.95, <0.3".')
    workspace = (HERE / "Cargo.toml").read_text(encoding="utf-8")
    inherited = dict(re.findall(r'^(edition|license|rust-version) = ("[^"]*")$', workspace, re.MULTILINE))
    for key, value in inherited.items():
        manifest = manifest.replace(f"{key}.workspace = true", f"{key} = {value}")
    for end, version in (("oldest", oldest[1]), ("newest", None)):
        folder = TARGET_DIR / "range" / end
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / "unpanic", folder / "unpanic")
        (folder / "unpanic" / "Cargo.toml").write_text(manifest, encoding="utf-8")
        for name, text in USER.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, encoding="utf-8")
        cargo = ["cargo", "--color=never"]
        manifest_path = ["--manifest-path", str(folder / "Cargo.toml")]
        run([*cargo, "update", "--quiet", *manifest_path])
        if version is not None:
            run([*cargo, "update", "--quiet", *manifest_path, "--package", "wasm-bindgen", "--precise", version])
        # Old versions of wasm-bindgen's macro use a `cfg` that today's Rust warns of.
        target = ["--target-dir", str(TARGET_DIR / "range" / "target")]
        run([*cargo, "check", "--quiet", *manifest_path, *target], {"RUSTFLAGS": "-Aunexpected_cfgs"})
        lock = (folder / "Cargo.lock").read_text(encoding="utf-8")
        version_line = re.search(r'^name = "wasm-bindgen"\nversion = "([^"]+)"$', lock, re.MULTILINE)
        say(f"unpanic compiles with wasm-bindgen {version_line and version_line[1]}, the {end} that it allows")


def parse_arguments() -> argparse.Namespace:
    known = crates_with_fixtures()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("crates", nargs="*", metavar="crate", help=f"which fixtures: {', '.join(known)} (default: all)")
    parser.add_argument("--mode", action="append", choices=MODES, dest="modes", help="may be repeated (default: all)")
    parser.add_argument("--lint", action="store_true", help="only check the sources")
    arguments = parser.parse_args()
    unknown = sorted(set(arguments.crates) - set(known))
    if unknown:
        parser.error(f"no such fixture: {', '.join(unknown)}")
    return arguments


def main() -> int:
    arguments = parse_arguments()
    try:
        if arguments.lint:
            lint()
        else:
            build(arguments.crates or crates_with_fixtures(), arguments.modes or list(MODES))
    except BuildError as error:
        print(f"build: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
