"""What would be published: the archives for PyPI, npm and crates.io, each used from an empty folder."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
from unpanic import __version__

from rust import build as rust
from scripts.serve import Server

ROOT = Path(__file__).parents[2]
PROJECTS = {"unpanic": ROOT, "unpanic_tools": ROOT / "py/unpanic_tools"}
# Where cargo builds. The folder stays, because std takes half a minute.
TARGET = ROOT / ".cache/publish-target"
# Nobody debugs these files.
SMALL = {"CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_INCREMENTAL": "0"}
CRATE = f"unpanic-{__version__}.crate"
BANK = ROOT / "rust/fixtures/bank/pkg/abort"
# Places on this machine, except for those that the texts name on purpose.
MACHINE_PATH = re.compile(rb"(?<![\w./-])/(?:root|home(?!/pyodide)|Users|work)/[\w.-]+|" + re.escape(bytes(ROOT)))
STRAY = re.compile(r"(^|/)(__pycache__|node_modules|target|tests?(?!/test_NAME)|\.cache|\.venv)/|\.(pyc|draft|log)$")
LINK = re.compile(r"\]\((?!https://)(.*?)\)")


def run(*command: str | Path, cwd: Path, **variables: str) -> str:
    environment = {**os.environ, **variables}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of each Python project, and the npm package."""
    folder = tmp_path_factory.mktemp("archives")
    for project in PROJECTS.values():
        for target in ("wheel", "sdist"):
            run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=project)
    run("npm", "pack", "--pack-destination", folder, ROOT / "js", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def toolchain() -> rust.Toolchain:
    """Rust for Wasm."""
    try:
        return rust.find_toolchain(own_std=False)
    except rust.BuildError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def target(toolchain: rust.Toolchain) -> list[str]:
    """Options of cargo."""
    options = ["--quiet", "--target", rust.TARGET, "--target-dir", str(TARGET)]
    # Without features, std needs fewer crates.
    return [*options, *(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features="] if toolchain.builds_std else [])]


@pytest.fixture(scope="module")
def crate(toolchain: rust.Toolchain, target: list[str]) -> Path:
    """The archive of the crate, which cargo has unpacked and compiled."""
    options = ["--allow-dirty", "--package", "unpanic", *target]
    run(*toolchain.cargo, "package", *options, cwd=ROOT / "rust", **toolchain.environment, **SMALL)
    return TARGET / "package" / CRATE


def contents(path: Path) -> dict[str, bytes]:
    """Returns the files of an archive. Where all are in one folder, names begin in that."""
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    with tarfile.open(path) as archive:
        files = [(member.name, archive.extractfile(member)) for member in archive if member.isfile()]
        return {name.partition("/")[2]: file.read() for name, file in files if file}


def check_contents(path: Path, *expected: str) -> None:
    """Checks what all archives have, and have not."""
    files = contents(path)
    licences = [text for name, text in files.items() if name.rpartition("/")[2] == "LICENSE"]
    assert licences == [(ROOT / "LICENSE").read_bytes()], path
    assert set(expected) <= set(files), path
    assert [name for name in files if STRAY.search(name)] == [], path
    assert {name: found for name, text in files.items() if (found := MACHINE_PATH.findall(text))} == {}, path
    # The pages of registries show these texts, and have no other pages to which a link could lead.
    shown = [name for name in files if name.endswith(("README.md", "METADATA", "PKG-INFO"))]
    assert shown, path
    assert {name: found for name in shown if (found := LINK.findall(files[name].decode()))} == {}, path


def test_the_archives_hold_what_they_should(archives: Path):
    """Each has the licence, types and a description, and nothing that only this repository or machine knows."""
    for name, typed in (("unpanic", "py/unpanic/py.typed"), ("unpanic_tools", "py.typed")):
        check_contents(archives / f"{name}-{__version__}-py3-none-any.whl", f"{name}/py.typed")
        check_contents(archives / f"{name}-{__version__}.tar.gz", typed, "PKG-INFO", "pyproject.toml")
    bundles = ("dist/unpanic.js", "dist/runtime.js", "dist/forms.js", "dist/packages.js", "dist/cli.js")
    check_contents(archives / f"unpanic-{__version__}.tgz", "package.json", "types/unpanic.d.ts", *bundles)


def test_the_checks_of_archives_can_fail():
    """They find what does not belong into an archive."""
    for name in ("a/__pycache__/b.txt", "tests/test_a.py", "js/node_modules/a.js", "a.pyc", "target/debug/a"):
        assert STRAY.search(name), name
    assert not STRAY.search("unpanic_tools/template/tests/test_NAME.py.template")
    assert MACHINE_PATH.search(b'"/home/ada/bank.js"')
    assert MACHINE_PATH.search(bytes(ROOT / "js"))
    assert LINK.findall("[a](docs/a.md) [b](https://b.example)") == ["docs/a.md"]


# PyPI


def test_pypi_takes_them(archives: Path):
    """Metadata and description of wheels and sdists are in order; warnings count as errors."""
    names = {f"{name}-{__version__}{end}" for name in PROJECTS for end in ("-py3-none-any.whl", ".tar.gz")}
    files = [file for file in archives.iterdir() if file.suffix != ".tgz"]
    assert {file.name for file in files} == names
    printed = run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=archives)
    assert printed.count("PASSED") == len(names)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment of Python, without packages."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    return folder


@pytest.fixture(scope="module", params=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, environment: Path, archives: Path) -> Path:
    """The environment, with unpanic from a kind of archive: wheels bring what they need, then sdists take their place.

    The folder of scripts is the only one on `PATH`: there is no Node. Libraries have the versions of the other tests.
    """
    pins = environment / "pins.txt"
    pins.write_text("".join(f"{found.name}=={found.version}\n" for found in importlib.metadata.distributions()))
    pip = [sys.executable, "-m", "pip", "--python", environment / "bin/python", "install", "--quiet"]
    names = [f"unpanic=={__version__}", f"unpanic-tools[test]=={__version__}"]
    if request.param == "wheel":
        options = ["--find-links", archives, *names]
    else:
        options = ["--force-reinstall", "--no-deps", *archives.glob("*.tar.gz")]
    run(*pip, *options, cwd=archives, PATH=str(environment / "bin"), PIP_CONSTRAINT=str(pins))
    return environment


# `__main__` runs at once.
IMPORT_ALL = """
import importlib, pkgutil, unpanic, unpanic_tools

for package in (unpanic, unpanic_tools):
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
"""


def test_the_python_packages_work(installed: Path, tmp_path: Path):
    """The script does its work from an empty folder, with nothing but the packages that were declared."""
    scripts = installed / "bin"
    run(sys.executable, "-m", "pip", "--python", scripts / "python", "check", cwd=tmp_path)

    def command(*words: str | Path) -> str:
        return run(scripts / "unpanic", *words, cwd=tmp_path, PATH=str(scripts), PYTHONPATH="")

    assert command("--version") == f"unpanic {__version__}\n"
    assert json.loads(command("inspect", BANK, "--json"))["rollback"]["possible"]
    command("rewrite", BANK / "bank_bg.wasm", "out.wasm", "--rollback")
    assert (tmp_path / "out.wasm").read_bytes().startswith(b"\0asm")
    command("new", "bank")
    assert (tmp_path / "bank/src/lib.rs").is_file()
    assert (tmp_path / "bank/unpanic/src/text.rs").is_file()


def test_every_module_finds_what_it_imports(installed: Path, tmp_path: Path):
    """A library that only the developers' environment has would be missing here."""
    run(installed / "bin/python", "-c", IMPORT_ALL, cwd=tmp_path, PYTHONPATH="")


def test_the_plugin_is_there_for_pytest(installed: Path, tmp_path: Path):
    """The extra `test` brings pytest, which finds the plugin by itself."""
    assert "@pytest.mark.in_browser" in run(installed / "bin/pytest", "--markers", cwd=tmp_path, PYTHONPATH="")


# npm

# `half` is no export, and `add` takes no text: the types say so.
USER = """\
import { Crash, load, type PanicRecord } from "unpanic";
import * as runtime from "unpanic/runtime";

const panics: PanicRecord[] = [];
const bank = await load<typeof import("./pkg/bank.js")>(%s, { onPanic: (panic) => panics.push(panic) });
bank.exports.open("ada", 100n);
let crash: Crash | undefined;
try {
  bank.exports.transfer("ada", "bob", 1_000n);
} catch (error) {
  if (error instanceof Crash) crash = error;
}
const lines: string[] = [crash?.kind ?? "", panics[0]?.message ?? ""];
console.log(lines, bank.generation, bank.exports.add(2, 3), runtime.version);

export function mistakes() {
  // @ts-expect-error
  bank.exports.half(2);
  // @ts-expect-error
  bank.exports.add("2", 3);
  // @ts-expect-error
  return load("/pkg/bank.js", { onCrash: console.log });
}
"""


@pytest.fixture
def npm_user(archives: Path, tmp_path: Path) -> Path:
    """A folder in which npm has installed the archive, without a network."""
    (tmp_path / "package.json").write_text('{"private": true, "type": "module"}')
    options = ["--offline", "--no-audit", "--no-fund", "--silent"]
    run("npm", "install", *options, archives / f"unpanic-{__version__}.tgz", cwd=tmp_path)
    shutil.copytree(BANK, tmp_path / "pkg")
    return tmp_path


def test_the_npm_package_works(npm_user: Path):
    """A program in TypeScript has its types, loads a module and outlives its crash; the command writes a factory."""
    tsc = [ROOT / "js/node_modules/.bin/tsc", "--strict", "--target", "esnext", "--module", "nodenext", "user.ts"]
    with Server(folders={"/pkg/": str(npm_user / "pkg")}) as server:
        (npm_user / "user.ts").write_text(USER % json.dumps(f"{server.url}/pkg/bank.js"))
        run(*tsc, cwd=npm_user)
        printed = run("node", "user.js", cwd=npm_user)
    assert printed == f"[ 'panic', 'insufficient funds' ] 1 5 {__version__}\n"
    run(npm_user / "node_modules/.bin/unpanic", "factory", "pkg/bank.js", cwd=npm_user)
    assert (npm_user / "pkg/bank.factory.js").is_file()


# crates.io

MANIFEST = """\
[package]
name = "user"
version = "0.1.0"
edition = "2021"

[lib]
crate-type = ["cdylib"]

[dependencies]
unpanic = {{ path = "{place}" }}
wasm-bindgen = "0.2"

[workspace]
"""
LIBRARY = """\
use unpanic as _;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
pub fn half(number: u32) -> u32 {
    assert!(number % 2 == 0, "{number} is odd");
    number / 2
}
"""
# Stands in for glue, which only wasm-bindgen's command could write. The hook calls `console.error`.
GLUE = """
import { readFileSync } from "node:fs";
const module = new WebAssembly.Module(readFileSync(process.argv[2]));
const texts = [];
const text = (start, length) => new TextDecoder().decode(new Uint8Array(instance.exports.memory.buffer, start, length));
const imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) {
  imports[from] ??= {};
  imports[from][name] = name.startsWith("__wbg_error_") ? (...where) => texts.push(text(...where)) : () => 0;
}
const instance = new WebAssembly.Instance(module, imports);
const named = (start) => instance.exports[Object.keys(instance.exports).find((name) => name.startsWith(start))];
named("__unpanic_start_")();
const results = [named("half_")(6)];
try { named("half_")(7); } catch (error) { results.push(error.constructor.name); }
console.log(JSON.stringify([...results, ...texts]));
"""


def test_the_crate_works_where_rust_is(crate: Path, toolchain: rust.Toolchain, target: list[str], tmp_path: Path):
    """Another crate that has nothing but the archive is compiled with it, and its panics have their messages."""
    check_contents(crate, "Cargo.toml", "src/lib.rs", "src/text.rs")
    with tarfile.open(crate) as archive:
        archive.extractall(tmp_path, filter="data")
    assert f'version = "{__version__}"' in (tmp_path / crate.stem / "Cargo.toml").read_text()
    (tmp_path / "user/src").mkdir(parents=True)
    (tmp_path / "user/Cargo.toml").write_text(MANIFEST.format(place=tmp_path / crate.stem))
    (tmp_path / "user/src/lib.rs").write_text(LIBRARY)
    # Of the versions that it allows, that with which the crate was compiled is there.
    shutil.copy(tmp_path / crate.stem / "Cargo.lock", tmp_path / "user/Cargo.lock")
    run(*toolchain.cargo, "build", *target, cwd=tmp_path / "user", **toolchain.environment, **SMALL)
    (tmp_path / "glue.mjs").write_text(GLUE)
    wasm = TARGET / rust.TARGET / "debug/user.wasm"
    printed = json.loads(run("node", tmp_path / "glue.mjs", wasm, cwd=tmp_path))
    assert printed == [3, "RuntimeError", "panicked at src/lib.rs:6:5:\n7 is odd"]
