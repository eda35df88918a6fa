"""The command `unpanic` itself. Other tests check the files that it writes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import unpanic
from unpanic_tools.cli import app as whole
from unpanic_tools.cli import main
from unpanic_tools.cli.app import VERBS, app

ROOT = Path(__file__).parents[3]
DECLARATIONS = ROOT / "rust/fixtures/bank/pkg/abort/bank.d.ts"
# As the shell runs it: one that ends by itself, whose output is longer than a pipe holds.
STUBS = [sys.executable, "-m", "unpanic", "stubs", *[str(DECLARATIONS)] * 20, "-o", "-"]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "py")}


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


@pytest.mark.parametrize("verb", ["", *VERBS])
def test_options_that_take_no_value_show_none(verb: str, capsys: pytest.CaptureFixture[str]):
    """Nobody is to try `--json true`."""
    assert main([*filter(None, [verb]), "--help"]) == 0
    assert "bool" not in capsys.readouterr().out


@pytest.mark.parametrize("columns", ["40", "200"])
def test_what_it_prints_is_not_broken(
    columns: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """A narrow terminal breaks no line: paths and numbers can be copied and read by programs."""
    monkeypatch.setenv("COLUMNS", columns)
    assert main(["inspect", str(DECLARATIONS.with_name("gone"))]) == 1
    assert capsys.readouterr().err.count("\n") == 1
    main(["doctor"])
    assert re.search(
        r"^\S+ +wasm-bindgen +.*\(`unpanic build` can install it\)$|^ok +wasm-bindgen", capsys.readouterr().out, re.M
    )


@pytest.mark.parametrize(("variable", "is_colored"), [("FORCE_COLOR", True), ("NO_COLOR", False)])
def test_colors(variable: str, is_colored: bool):
    """Only terminals get colors, and none if NO_COLOR says so."""
    plain = {name: value for name, value in ENVIRONMENT.items() if name not in ("FORCE_COLOR", "NO_COLOR")}
    command = [sys.executable, "-m", "unpanic", "doctor"]
    environment = {**plain, "TERM": "xterm-256color", variable: "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ("\x1b[" in done.stdout) == is_colored
    assert "cargo" in done.stdout


def test_who_reads_may_have_enough():
    """`unpanic … | head -1` ends without a word, as if SIGPIPE had ended it."""
    with subprocess.Popen(STUBS, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 141


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The exit code is the usual one, and there is no traceback."""
    monkeypatch.setattr("unpanic_tools.cli.doctor.check_machine", lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert main(["doctor"]) == 130
    assert capsys.readouterr().err == ""


def test_what_the_system_refuses_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Also where a verb did not expect it, as on a full disk."""
    refused = OSError(28, "No space left on device", "dist/bank.whl")
    monkeypatch.setattr("unpanic_tools.cli.build.build_project", lambda *_: raise_(refused))
    assert whole.main(["build"]) == 1
    assert capsys.readouterr().err == "unpanic: dist/bank.whl cannot be used: No space left on device.\n"


def raise_(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "words", [["inspect"], ["stubs"], ["rewrite", "--rollback", "-"], ["replay", "-"], ["dist", "-"]]
)
def test_files_that_are_none(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """One that is not there, and a folder with a file's name, end with one line that names it."""
    verb, *others = words
    for name in ("gone.d.ts", "gone.wasm", "gone.whl"):
        place = tmp_path / name
        before = [str(tmp_path / "out") if word == "-" else word for word in others]
        order = [str(place), *before] if verb == "rewrite" else [*before, str(place)]
        assert main([verb, *order]) == 1
        printed = capsys.readouterr().err
        assert printed.startswith("unpanic: ")
        assert str(tmp_path) in printed
        assert printed.count("\n") == 1
        place.mkdir()
        assert main([verb, *order]) == 1
        printed = capsys.readouterr().err
        assert printed.startswith("unpanic: ")
        assert printed.count("\n") == 1
        assert "Errno" not in printed
