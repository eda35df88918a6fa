"""Stubs of all packages, and of two fixtures, in the eyes of two type checkers.

`tests/compat/typed` uses each of them as a user would. Lines that end in `# wrong` are mistakes.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from unpanic_tools.cli import main

from tests.compat.catalogue import PACKAGES

ROOT = Path(__file__).parents[2]
TYPED = Path(__file__).with_name("typed")
FIXTURES = ROOT / "rust" / "fixtures"


def module_name(folder):
    """The name under which a package is imported here."""
    return re.sub(r"\W", "_", folder.lstrip("@"))


def declarations():
    """The `.d.ts` of each module, and its Wasm file where it is elsewhere."""
    found = {name: (FIXTURES / name / "pkg" / "abort" / f"{name}.d.ts", None) for name in ("bank", "shapes")}
    for package in PACKAGES:
        glue = package.root / package.glue
        beside = glue.with_suffix(".d.ts")
        if beside.is_file():
            found[module_name(package.folder)] = (beside, None)
        else:
            # Automerge's are where its own TypeScript wants them.
            found[module_name(package.folder)] = (
                package.root / "dist" / "wasm_types.d.ts",
                package.root / package.wasm,
            )
    return found


MODULES = declarations()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all stubs in `stubs`, and the code that uses them in `typed`."""
    folder = tmp_path_factory.mktemp("checked")
    shutil.copytree(TYPED, folder / "typed", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "stubs").mkdir()
    for name, (path, wasm) in MODULES.items():
        options = ["--wasm", str(wasm)] if wasm else []
        assert main(["stubs", str(path), "-o", str(folder / "stubs" / f"{name}.pyi"), *options]) == 0
    return folder


@pytest.fixture(scope="module")
def by_mypy(folder):
    """Returns what mypy reports, as lines of files."""
    settings = ["--strict", "--no-error-summary", "--config-file=", "--cache-dir", str(ROOT / ".cache" / "mypy-stubs")]
    bases = ["--namespace-packages", "--explicit-package-bases"]
    command = [sys.executable, "-m", "mypy", *settings, *bases, "typed", "stubs"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join((str(folder), str(folder / "stubs")))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, env=environment)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return reports(re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE))


@pytest.fixture(scope="module")
def by_pyright(folder):
    """Returns what pyright reports, as lines of files."""
    settings = {"include": ["typed", "stubs"], "stubPath": "stubs", "pythonVersion": "3.12"}
    settings |= {"typeCheckingMode": "standard", "reportMissingModuleSource": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(ROOT / "js" / "node_modules" / "pyright" / "index.js"), "--outputjson", "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert found["summary"]["filesAnalyzed"] == 2 * len(MODULES)
    return reports(
        (each["file"], each["range"]["start"]["line"] + 1, each["message"])
        for each in found["generalDiagnostics"]
        if each["severity"] == "error"
    )


def reports(errors):
    """Texts by file name and line."""
    found = {}
    for file, line, text in errors:
        found.setdefault(Path(file).name, {}).setdefault(int(line), text)
    return found


@pytest.fixture(params=["by_mypy", "by_pyright"])
def reported(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", MODULES)
def test_stub(reported, name):
    """A package's stub has no error."""
    assert reported.get(f"{name}.pyi", {}) == {}


@pytest.mark.parametrize("name", MODULES)
def test_use(reported, name):
    """In code that uses a package by its stub, mistakes are reported, and nothing else is."""
    lines = (TYPED / f"{name}.py").read_text().splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if line.endswith("# wrong")]
    assert wrong
    found = reported.get(f"{name}.py", {})
    assert sorted(found) == wrong, found


def test_every_use_is_checked():
    """Each file of `tests/compat/typed` is that of a package."""
    assert {path.stem for path in TYPED.glob("*.py")} == set(MODULES)
