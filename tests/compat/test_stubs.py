"""Two type checkers check the stubs of all packages and of two fixtures.

Files in `tests/compat/typed` use each stub as a user would. Lines that end in `# wrong` are mistakes.
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

from tests.compat.catalogue import LOADERS, OTHER_TARGETS, WEB

ROOT = Path(__file__).parents[2]
TYPED = Path(__file__).with_name("typed")
FIXTURES = ROOT / "rust" / "fixtures"


def module_name(folder):
    """Returns the name under which a package is imported here."""
    return re.sub(r"\W", "_", folder.lstrip("@"))


def declarations():
    """Returns the `.d.ts` of each module, and its Wasm file if that is elsewhere."""
    modules = {name: (FIXTURES / name / "pkg" / "abort" / f"{name}.d.ts", None) for name in ("bank", "shapes")}
    for package in (*WEB, *OTHER_TARGETS, *LOADERS):
        declared = package.declarations()
        if declared:
            wasm = package.root / package.wasm if package.types and not package.is_inside() else None
            modules[module_name(package.folder)] = (declared, wasm)
    return modules


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
    """Returns mypy's reports, as texts by file and line."""
    settings = ["--strict", "--no-error-summary", "--config-file=", "--cache-dir", str(ROOT / ".cache" / "mypy-stubs")]
    bases = ["--namespace-packages", "--explicit-package-bases"]
    command = [sys.executable, "-m", "mypy", *settings, *bases, "typed", "stubs"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join((str(folder), str(folder / "stubs")))}
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, env=environment)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return reports(re.findall(r"^(.+?):(\d+): error: (.*)$", done.stdout, re.MULTILINE))


@pytest.fixture(scope="module")
def by_pyright(folder):
    """Returns pyright's reports, as texts by file and line."""
    settings = {"include": ["typed", "stubs"], "stubPath": "stubs", "pythonVersion": "3.12"}
    settings |= {"typeCheckingMode": "standard", "reportMissingModuleSource": False}
    (folder / "pyrightconfig.json").write_text(json.dumps(settings))
    command = ["node", str(ROOT / "js" / "node_modules" / "pyright" / "index.js"), "--outputjson", "-p", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["summary"]["filesAnalyzed"] == 2 * len(MODULES)
    return reports(
        (each["file"], each["range"]["start"]["line"] + 1, each["message"])
        for each in report["generalDiagnostics"]
        if each["severity"] == "error"
    )


def reports(errors):
    """Returns texts by file name and line."""
    texts = {}
    for file, line, text in errors:
        texts.setdefault(Path(file).name, {}).setdefault(int(line), text)
    return texts


@pytest.fixture(params=["by_mypy", "by_pyright"])
def reported(request):
    return request.getfixturevalue(request.param)


@pytest.mark.parametrize("name", MODULES)
def test_stub(reported, name):
    """A package's stub has no error."""
    assert reported.get(f"{name}.pyi", {}) == {}


@pytest.mark.parametrize("name", MODULES)
def test_use(reported, name):
    """In code that uses a package's stub, the type checkers report the mistakes and nothing else."""
    lines = (TYPED / f"{name}.py").read_text().splitlines()
    wrong = [number for number, line in enumerate(lines, 1) if line.endswith("# wrong")]
    assert wrong
    found = reported.get(f"{name}.py", {})
    assert sorted(found) == wrong, found


def test_every_use_is_checked():
    """Each file of `tests/compat/typed` belongs to a package."""
    assert {path.stem for path in TYPED.glob("*.py")} == set(MODULES)
