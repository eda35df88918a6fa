"""Finds the command of wasm-bindgen in the version that a crate needs, and runs it."""

import os
import shutil
from pathlib import Path

from ..caching import cache_folder
from .cargo import host_cargo
from .commands import ask, run, say
from .failure import BuildError

__all__ = ["bind", "find_bindgen", "present_bindgen"]


def find_bindgen(version: str) -> str:
    """Returns the command: from `$WASM_BINDGEN`, from PATH, or from the cache, where it is installed once.

    Args:
        version: that of the library in the crate's lock file; the command must have the same.

    Raises:
        BuildError: it is not there and cannot be installed, or `$WASM_BINDGEN` is another version.
    """
    if named := os.environ.get("WASM_BINDGEN"):
        if not _is_version(named, version):
            raise BuildError(
                f"$WASM_BINDGEN is {named}, {_version(named) or 'which does not run'}, but the crate needs "
                f"wasm-bindgen {version}. Unset it, and the build installs that version."
            )
        return named
    if present := present_bindgen(version):
        return present
    _install(version, _root(version), shutil.which("wasm-bindgen"))
    return str(_own(version))


def present_bindgen(version: str) -> str | None:
    """Returns the command from PATH or from the cache, or None if neither has it in this version."""
    places = (shutil.which("wasm-bindgen"), _own(version))
    return next((str(place) for place in places if place and _is_version(place, version)), None)


def bind(bindgen: str, wasm: Path, folder: Path, name: str, *, debug: bool) -> None:
    """Writes the glue `NAME.js`, its types and its Wasm file into an empty folder.

    Args:
        bindgen: the command of wasm-bindgen.
        wasm: the file that cargo has built.
        folder: where to write.
        name: that of the glue.
        debug: whether debug information is kept.
    """
    shutil.rmtree(folder, ignore_errors=True)
    keep = ["--keep-debug"] if debug else []
    run([bindgen, "--target", "web", "--out-dir", folder, "--out-name", name, *keep, wasm], wasm.parent)
    # These are for bundlers, and for those who call the Wasm file without the glue.
    for path in (folder / f"{name}_bg.wasm.d.ts", folder / "package.json"):
        path.unlink(missing_ok=True)


def _install(version: str, root: Path, on_path: str | None) -> None:
    other = f"the one on PATH is {_version(on_path)}" if on_path else "there is none on PATH"
    say(f"the crate needs the command of wasm-bindgen {version}, and {other}: installing it once, which takes minutes")
    command = [*host_cargo(), "install", "wasm-bindgen-cli", f"--version={version}", "--root", str(root)]
    try:
        run([*command, "--locked"], Path.home())
    except BuildError:
        say("once more, with other versions of the crates that it needs: its lock file may name some that are gone")
        try:
            run(command, Path.home())
        except BuildError as error:
            way = f"cargo install wasm-bindgen-cli --version={version}"
            raise BuildError(f"wasm-bindgen {version} was not installed: {error} `{way}` does it.") from None


def _root(version: str) -> Path:
    return cache_folder() / "wasm-bindgen" / version


def _own(version: str) -> Path:
    return _root(version) / "bin" / ("wasm-bindgen.exe" if os.name == "nt" else "wasm-bindgen")


def _is_version(command: str | Path, version: str) -> bool:
    return _version(command) == f"wasm-bindgen {version}"


def _version(command: str | Path) -> str | None:
    return ask((command, "--version"))
