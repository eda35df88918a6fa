"""The files of a package: which is the Wasm file, and which glue and types belong to it."""

import json
import re
import zipfile
from dataclasses import dataclass
from pathlib import Path

__all__ = ["NoPackage", "PackageFiles", "find_package", "target_of"]

# How many files a message names.
MOST_NAMED = 6
# Folders that hold other packages, or what a build has left.
PASSED_OVER = {"node_modules", "target", ".git", ".venv"}


class NoPackage(ValueError):
    """A path names no package; the message says what is there, and what to name."""


@dataclass(frozen=True)
class PackageFiles:
    """The files of one module.

    Attributes:
        wasm: the Wasm file.
        glue: the JavaScript file that wasm-bindgen wrote beside it, if there is one.
        declarations: the `.d.ts`, if there is one.
    """

    wasm: Path
    glue: Path | None = None
    declarations: Path | None = None


def find_package(path: Path, unpacked: Path) -> PackageFiles:
    """Finds the files of a package.

    Of a package from npm with several builds, it is the one that its `package.json` names for browsers.

    Args:
        path: its folder, its glue, its Wasm file, or a wheel.
        unpacked: an empty folder, into which a wheel is unpacked.

    Raises:
        NoPackage: there is none, or more than one.
    """
    if not path.exists():
        raise NoPackage(f"{path} is not there.")
    if path.suffix == ".whl" and path.is_file():
        try:
            with zipfile.ZipFile(path) as wheel:
                wheel.extractall(unpacked)
        except zipfile.BadZipFile as error:
            raise NoPackage(f"{path} is not a wheel: {error}.") from None
        except OSError as error:
            raise NoPackage(f"{path} cannot be unpacked: {error.strerror or error}.") from None
        return _in_folder(unpacked, path)
    if path.is_dir():
        return _in_folder(path, path)
    if path.suffix == ".wasm":
        return _beside(path)
    if path.suffix in (".js", ".mjs", ".cjs"):
        return _of_glue(path)
    raise NoPackage(f"{path} is neither a folder, a wheel, a Wasm file, nor the glue of one (bank.js).")


def _in_folder(folder: Path, source: Path) -> PackageFiles:
    files = [
        file for file in sorted(folder.rglob("*.wasm")) if not PASSED_OVER & set(file.relative_to(folder).parts[:-1])
    ]
    if len(files) == 1:
        return _beside(files[0])
    if files and (named := _named(folder)):
        return named
    if not files:
        raise NoPackage(f"{source} has no Wasm file. wasm-bindgen writes one beside the glue: bank_bg.wasm.")
    names = ", ".join(str(source / file.relative_to(folder)) for file in files[:MOST_NAMED])
    more = f" and {len(files) - MOST_NAMED} more" if len(files) > MOST_NAMED else ""
    remedy = "unpack it and name one of them" if folder != source else "name one of them"
    raise NoPackage(f"{source} has {len(files)} Wasm files: {remedy}: {names}{more}.")


def _named(folder: Path) -> PackageFiles | None:
    """Returns the build that a `package.json` names, first for browsers."""
    try:
        manifest = json.loads((folder / "package.json").read_text("utf-8"))
        names = [manifest.get(field) for field in ("browser", "module", "main")]
    except (OSError, ValueError, AttributeError):
        return None
    for name in names:
        if isinstance(name, str) and (folder / name).is_file():
            try:
                return _of_glue(folder / name)
            except NoPackage:
                continue  # a wrapper around the glue
    return None


def _beside(wasm: Path) -> PackageFiles:
    stem = wasm.name.removesuffix(".wasm").removesuffix("_bg")
    glue = next((file for end in ("js", "mjs", "cjs") if (file := wasm.with_name(f"{stem}.{end}")).is_file()), None)
    types = wasm.with_name(f"{stem}.d.ts")
    return PackageFiles(wasm, glue, types if types.is_file() else None)


def _of_glue(glue: Path) -> PackageFiles:
    stem = glue.name.removesuffix(glue.suffix).removesuffix("_bg")
    wasm = next((file for end in ("_bg.wasm", ".wasm") if (file := glue.with_name(stem + end)).is_file()), None)
    if wasm is None:
        raise NoPackage(f"beside {glue} is no {stem}_bg.wasm: name the Wasm file of this glue instead.")
    types = glue.with_name(f"{stem}.d.ts")
    return PackageFiles(wasm, glue, types if types.is_file() else None)


# The first that matches decides. They are what tells the targets apart in js/src/glue/targets.
TARGETS = (
    ("module", r"^import source "),
    ("bundler", r"^import (?:\* as )?[\w$]+ from ['\"][^'\"]+\.wasm['\"]|^export \* from ['\"][^'\"]+_bg\.js['\"]"),
    ("experimental-nodejs-module", r"^import .*from ['\"](?:node:)?(?:fs|util)['\"]"),
    ("web", r"\bexport\s+default\b|\bexport\s*\{[^}]*\b(?:default|initSync|initWasm)\b"),
    ("no-modules", r"^(?:let|var) wasm_bindgen\b|\bself\.wasm_bindgen\b"),
    ("deno", r"\bDeno\.|\binstantiateStreaming\("),
    ("nodejs", r"(?<!\.)\brequire\(|\bmodule\.exports\b"),
)


def target_of(glue: str) -> str:
    """Returns the target of wasm-bindgen that glue was written for, or "" if it is written in another way."""
    return next((name for name, pattern in TARGETS if re.search(pattern, glue, re.M)), "")
