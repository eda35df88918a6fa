"""The command `unpanic` itself. Other tests check the files that it writes."""

from __future__ import annotations

import re

import pytest
import unpanic
from unpanic_tools.cli import main
from unpanic_tools.cli.app import app


def test_alone_it_prints_help(capsys: pytest.CaptureFixture[str]):
    """A new user first types only the name."""
    assert main([]) == 0
    printed = capsys.readouterr()
    assert printed.out.split()[:2] == ["Usage:", "unpanic"]
    assert "stubs" in printed.out
    assert printed.err == ""


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]):
    """It prints the package's version."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"unpanic {unpanic.__version__}\n"


def test_what_it_does_not_know_is_an_error(capsys: pytest.CaptureFixture[str]):
    """The error lists the known commands."""
    assert main(["dance"]) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("unpanic: No such command 'dance'. The commands are ")
    assert printed.count("\n") == 1
    assert {"stubs", "rewrite", "assets"} <= set(re.findall(r"\w+", printed))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stubs"], "Missing argument 'FILE.d.ts'. `unpanic stubs --help` shows what it takes."),
        (["rewrite", "--dance"], "No such option: --dance. `unpanic rewrite --help` shows what it takes."),
    ],
)
def test_wrong_arguments_end_with_one_line(words: list[str], says: str, capsys: pytest.CaptureFixture[str]):
    """The exit code is 2, and the line names the verb's own help."""
    assert main(words) == 2
    assert capsys.readouterr().err == f"unpanic: {says}\n"


@pytest.mark.parametrize("verb", [command.name for command in app.registered_commands])
def test_each_verb_has_a_help(verb: str, capsys: pytest.CaptureFixture[str]):
    """It begins with the usage, and says in one sentence what the verb does."""
    assert main([verb, "--help"]) == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert lines[0].startswith(f"Usage: unpanic {verb} ")
    assert len(lines[1]) > 20


def test_a_help_has_its_whole_text(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """What looks like markup is text, and paragraphs are broken to the width of the terminal."""
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["build", "--help"]) == 0
    assert "as [tool.hatch.build.hooks.unpanic] in pyproject.toml says" in capsys.readouterr().out
