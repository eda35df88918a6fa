"""The command `unpanic` itself. Other tests check the files that it writes."""

from __future__ import annotations

import pytest
import unpanic
from unpanic_tools.cli import main


def test_alone_it_prints_help(capsys: pytest.CaptureFixture[str]):
    """A new user first types only the name."""
    assert main([]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("usage: unpanic ")
    assert "stubs" in printed.out
    assert printed.err == ""


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]):
    """It prints the package's version."""
    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"unpanic {unpanic.__version__}\n"


def test_what_it_does_not_know_is_an_error(capsys: pytest.CaptureFixture[str]):
    """The error lists the known commands."""
    with pytest.raises(SystemExit) as caught:
        main(["dance"])
    assert caught.value.code == 2
    assert "choose from stubs, assets, rewrite" in capsys.readouterr().err.replace("'", "")
