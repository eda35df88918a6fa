"""What the plugin adds to a wheel. The crates are built by a stand-in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hatchling.plugin.manager import PluginManager
from unpanic import __version__
from unpanic_tools import hatch_plugin
from unpanic_tools.build import BuildError
from unpanic_tools.build.package import STAMP, Package
from unpanic_tools.hatch_plugin import RustHook, hatch_register_build_hook


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose crates are built at once: each package has glue and a snippet."""

    def assemble(folder: Path, crates: list[Any]) -> list[Package]:
        assert folder == tmp_path
        return [make_package(tmp_path, options.module or "bank") for options in crates]

    monkeypatch.setattr(hatch_plugin, "assemble", assemble)
    return tmp_path


def make_package(folder: Path, module: str) -> Package:
    package = Package(module, folder / "made" / module)
    (package.folder / "snippets").mkdir(parents=True)
    for name in ("bank.js", "snippets/own.js", STAMP):
        (package.folder / name).touch()
    return package


def run_hook(root: Path, *dependencies: str, target: str = "wheel", **config: Any) -> dict[str, Any]:
    """Runs the hook, and returns what it leaves in hatchling's data."""
    metadata = SimpleNamespace(core=SimpleNamespace(dependencies=list(dependencies)))
    hook = RustHook(str(root), config, None, metadata, "", target)  # type: ignore[arg-type]
    data: dict[str, Any] = {"force_include": {}, "force_include_editable": {}, "dependencies": []}
    hook.initialize("standard", data)
    return data


def test_hatchling_knows_the_plugin():
    """It finds the class by the entry point of the wheel, and calls this function."""
    manager = PluginManager()
    manager.manager.register(hatch_plugin)
    assert manager.manager.hook.hatch_register_build_hook() == [hatch_register_build_hook()] == [RustHook]
    assert RustHook.PLUGIN_NAME == "unpanic"


def test_files_of_packages_go_into_the_wheel(root: Path):
    """Below their module's folder, also into an editable install; what a build notes for itself stays out."""
    data = run_hook(root, crates=[{}, {"module": "shop.rust"}])
    assert data["force_include"] == data["force_include_editable"]
    assert {Path(source).relative_to(root).as_posix(): place for source, place in data["force_include"].items()} == {
        "made/bank/bank.js": "bank/bank.js",
        "made/bank/snippets/own.js": "bank/snippets/own.js",
        "made/shop.rust/bank.js": "shop/rust/bank.js",
        "made/shop.rust/snippets/own.js": "shop/rust/snippets/own.js",
    }
    assert data["tag"] == "py3-none-any"


@pytest.mark.parametrize(
    ("declared", "added"),
    [
        ([], [f"unpanic>={__version__}"]),
        (["unpanic-tools", "numpy"], [f"unpanic>={__version__}"]),
        (["unpanic==0.1"], []),
        (["Unpanic"], []),
    ],
)
def test_the_wheel_needs_unpanic(root: Path, declared: list[str], added: list[str]):
    """Unless the project says itself in which version."""
    assert run_hook(root, *declared)["dependencies"] == added


def test_a_source_distribution_has_no_built_files(root: Path):
    """Nothing is built for it."""
    assert run_hook(root, target="sdist")["force_include"] == {}
    assert not (root / "made").exists()


@pytest.mark.parametrize("folder", ["bank", "src/bank"])
def test_an_init_of_the_projects_own(root: Path, folder: str, capsys: pytest.CaptureFixture[str]):
    """The module cannot be in its place: the message has the option that helps."""
    (root / folder).mkdir(parents=True)
    (root / folder / "__init__.py").touch()
    with pytest.raises(SystemExit):
        run_hook(root)
    assert capsys.readouterr().err == (
        f'unpanic: {folder}/__init__.py is the project\'s own. Set module = "bank._rust" in '
        "[tool.hatch.build.hooks.unpanic], and import from there: `from ._rust import …`.\n"
    )
    assert run_hook(root, module="bank._rust")["force_include"]


def test_a_build_that_fails_is_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """And an exit code."""

    def assemble(*_: Any) -> Any:
        raise BuildError("Rust is not installed.")

    monkeypatch.setattr(hatch_plugin, "assemble", assemble)
    with pytest.raises(SystemExit) as caught:
        run_hook(root)
    assert (caught.value.code, capsys.readouterr().err) == (1, "unpanic: Rust is not installed.\n")
