"""The options of the build hook, which say what is wrong with them."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import unpanic
from unpanic_tools.build import BuildError, CrateOptions, build
from unpanic_tools.build.options import LOADING, read_options
from unpanic_tools.build.project import options_of


def test_every_option_has_a_default():
    """`crate` itself is the folder of `pyproject.toml`."""
    assert read_options({}) == [CrateOptions()] == [CrateOptions(crate=".", profile="release", exact_types=True)]


def test_options_are_spelt_as_in_toml():
    """With hyphens; `wasm-opt` is true, a text or a list."""
    (options,) = read_options({"wasm-opt": True, "default-features": False, "features": ["a", "b"], "debug-info": True})
    assert (options.wasm_opt, options.default_features, options.features) == (("-O",), False, ("a", "b"))
    assert options.debug_info
    assert read_options({"wasm-opt": "-Oz --strip-dwarf"})[0].wasm_opt == ("-Oz", "--strip-dwarf")
    assert read_options({"wasm-opt": False})[0].wasm_opt == ()


def test_several_crates_share_what_stands_outside():
    """Each may say something else."""
    one, two = read_options({"deadlines": True, "crates": [{"crate": "one"}, {"crate": "two", "deadlines": False}]})
    assert (one.crate, one.deadlines, two.crate, two.deadlines) == ("one", True, "two", False)


def test_options_of_an_import_are_those_of_load_sync():
    """What the package decides about its own import."""
    (options,) = read_options({"load": {"timeout": 2.5, "recovery": "reset"}})
    assert options.load == {"timeout": 2.5, "recovery": "reset"}
    assert set(LOADING) < set(inspect.signature(unpanic.load_sync).parameters)


def test_options_of_hatch_are_none_of_the_crate():
    """Hatch reads them from the same table."""
    assert read_options({"dependencies": ["cffi"], "enable-by-default": True}) == [CrateOptions()]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"profil": "dev"}, "there is no option 'profil'. Did you mean 'profile'?"),
        ({"zzz": 1}, "there is no option 'zzz'. There are: crate, module, profile,"),
        ({"crate": 1}, "crate must be a string, not 1."),
        ({"deadlines": "yes"}, "deadlines must be true or false, not 'yes'."),
        ({"features": "a"}, "features must be a list of strings, not 'a'."),
        ({"panic": "both"}, 'panic = "both" must be "abort" or "unwind".'),
        ({"module": "my-bank"}, 'module = "my-bank" is no name that Python can import.'),
        ({"module": "bank.class"}, 'module = "bank.class" is no name that Python can import.'),
        ({"load": {"progress": True}}, "load has no option 'progress'. There are: recovery, objects,"),
        ({"load": {"timeout": [1]}}, "load.timeout must be a text, a number, true or false, not [1]."),
        ({"load": 5}, "load must be a table, not 5."),
        ({"rollback": True, "load": {"timeout": 5}}, "load.timeout needs deadlines = true beside rollback = true."),
        ({"rollback": 1}, "rollback must be true or false, not 1."),
        ({"crates": []}, "crates must be a list of tables"),
        ({"crates": ["one"]}, "crates must be a list of tables"),
    ],
)
def test_a_wrong_option_is_named(table: dict[str, object], message: str):
    """With the value, and with what it must be."""
    with pytest.raises(BuildError, match=re.escape(message)):
        read_options(table)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "There is no "),
        ("[tool", "cannot be read: "),
        ("[tool.hatch.build]", 'has no table [tool.hatch.build.hooks.unpanic]: add it, with crate = "." in it.'),
    ],
)
def test_a_project_without_the_table(text: str | None, message: str, tmp_path: Path):
    """`build` says what to add."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    for call in (options_of, build):
        with pytest.raises(BuildError, match=re.escape(message)):
            call(tmp_path)
