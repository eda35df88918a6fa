"""Finds what compiles Rust for Wasm: rustup's toolchain, or Debian's packages."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from .commands import ask
from .failure import BuildError

__all__ = ["TARGET", "Toolchain", "find_toolchain", "std_source"]

TARGET = "wasm32-unknown-unknown"
DEBIAN = Path("/usr/bin")
DEBIAN_LINKER = "wasm-ld-19"


@dataclass(frozen=True)
class Toolchain:
    """A way to run cargo for Wasm.

    Attributes:
        cargo: the command.
        rustc: the compiler that it uses, as a command.
        environment: the variables that it needs.
        builds_std: whether it has to compile the standard library, because none for Wasm is installed.
    """

    cargo: tuple[str, ...]
    rustc: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    builds_std: bool = False


def find_toolchain(folder: Path, *, unwind: bool) -> Toolchain:
    """Returns the first toolchain that is complete.

    Args:
        folder: that of the crate, whose `rust-toolchain.toml` rustup obeys.
        unwind: whether panics unwind. Then the standard library has to be compiled, which only nightly does.

    Raises:
        BuildError: there is none; the message has the commands that install one.
    """
    toolchain = (_nightly(folder) if unwind else _installed(folder)) or _debian()
    if toolchain:
        return toolchain
    raise BuildError(_missing(folder, unwind=unwind))


def std_source(toolchain: Toolchain, folder: Path) -> Path | None:
    """Returns the folder with the sources of the standard library, or None if they are not installed."""
    sysroot = ask((*toolchain.rustc, "--print", "sysroot"), folder, toolchain.environment)
    source = Path(sysroot or "/nonexistent", "lib/rustlib/src/rust")
    return source if (source / "library/std").is_dir() else None


def _installed(folder: Path) -> Toolchain | None:
    """The cargo on PATH, if it has a standard library for Wasm."""
    libraries = ask(("rustc", "--print", "target-libdir", "--target", TARGET), folder)
    has_std = libraries is not None and any(Path(libraries).glob("libstd-*.rlib"))
    return Toolchain(("cargo",), ("rustc",)) if has_std and shutil.which("cargo") else None


def _nightly(folder: Path) -> Toolchain | None:
    nightly = Toolchain(("cargo", "+nightly"), ("rustc", "+nightly"), builds_std=True)
    is_there = ask((*nightly.cargo, "--version"), folder) is not None
    return nightly if is_there and std_source(nightly, folder) else None


def _debian() -> Toolchain | None:
    return None if _missing_packages() else _debians()


def _debians() -> Toolchain:
    """Debian's toolchain, whether it is complete or not."""
    cargo, rustc = str(DEBIAN / "cargo"), str(DEBIAN / "rustc")
    environment = {
        # Cargo takes the first rustc on PATH, and rustup's may come before Debian's.
        "RUSTC": rustc,
        # A stable compiler may compile the standard library.
        "RUSTC_BOOTSTRAP": "1",
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER": DEBIAN_LINKER,
    }
    return Toolchain((cargo,), (rustc,), environment, builds_std=True)


def _missing_packages() -> list[str]:
    """Returns which of Debian's packages are not installed."""
    is_there = {
        "cargo-web": (DEBIAN / "cargo").is_file(),
        "rustc-web": (DEBIAN / "rustc").is_file(),
        "rust-web-src": std_source(_debians(), DEBIAN),
        "lld-19": shutil.which(DEBIAN_LINKER),
    }
    return [package for package, found in is_there.items() if not found]


def _missing(folder: Path, *, unwind: bool) -> str:
    # Who has some of the packages is told of the others alone.
    debian = f"on Debian `apt install {' '.join(_missing_packages())}`"
    if not shutil.which("cargo"):
        return f"Rust is not installed: see https://rustup.rs, then `rustup target add {TARGET}`; or {debian}."
    if unwind:
        nightly = f"rustup toolchain install nightly --component rust-src --target {TARGET}"
        return f'panic = "unwind" compiles Rust\'s standard library, which needs its source: `{nightly}`; or {debian}.'
    version = ask(("rustc", "--version"), folder) or "this Rust"
    return f"{version} cannot compile for Wasm yet: run `rustup target add {TARGET}`; or {debian}."
