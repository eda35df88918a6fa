"""What the command makes of a build: each line is shown at once, and the reason of a failure once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from unpanic_tools.cli import building, dev, main
from unpanic_tools.cli.dev import _changes, _roots
from unpanic_tools.cli.problems import CommandError

HOOK = "[tool.hatch.build.hooks.unpanic]\ncrate = '../crate'\n"


def fail(text: str, folder: Path) -> CommandError:
    """Runs a program that prints a text, and fails."""
    with pytest.raises(CommandError) as caught:
        building._run([sys.executable, "-c", f"import sys; sys.exit({text!r})"], folder)
    return caught.value


def test_the_hook_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Its last line is the reason. It has been printed, as what it said before."""
    said = "unpanic: wasm-bindgen is installed\nerror: no variable a\n\nunpanic: `cargo build` failed."
    error = fail(said, tmp_path)
    assert (str(error), error.is_told) == ("`cargo build` failed.", True)
    assert error.output == "unpanic: wasm-bindgen is installed\nerror: no variable a\n"
    error.tell()
    assert capsys.readouterr().err == f"{said}\n"


def test_another_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """What hatchling says is put into a sentence."""
    error = fail("Traceback\nValueError: no version", tmp_path)
    error.tell()
    last = f"unpanic: {tmp_path.name} was not built: ValueError: no version\n"
    assert capsys.readouterr().err == f"Traceback\nValueError: no version\n{last}"


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_result_can_be_read(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    """Standard output has the path of the wheel, or JSON, and nothing else."""
    (tmp_path / "pyproject.toml").touch()

    def write(command: list[str], folder: Path) -> None:
        assert folder == tmp_path
        Path(command[-1], "bank.whl").write_bytes(b"wheel")

    monkeypatch.setattr(building, "_run", write)
    assert main(["build", str(tmp_path), "-o", str(tmp_path / "out"), *options]) == 0
    wheel = tmp_path / "out" / "bank.whl"
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"wheel": str(wheel), "bytes": 5} if options else printed == f"{wheel}\n"
    assert [*wheel.parent.iterdir()] == [wheel]


def test_what_dev_watches(tmp_path: Path):
    """The project, its page, and a crate that lies elsewhere; not what builds, editors and tools write."""
    project, crate = tmp_path / "project", tmp_path / "crate"
    sources = ["src/lib.rs", "bank/text.txt", "site/index.html", "site/dist/a.js", ".cargo/config.toml"]
    others = ["target/a.rs", "dist/a.whl", "Cargo.lock", ".git/HEAD", "src/.lib.rs.swp", "src/lib.rs~", "a/b.pyc"]
    for name in (*sources, *others):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
    crate.mkdir()
    (project / "pyproject.toml").write_text(HOOK)
    roots = _roots(project)
    assert roots == [project.resolve(), crate.resolve()]

    async def watch() -> set[Path]:
        end, seen = asyncio.Event(), set()
        stream = _changes(roots, (project / "site").resolve(), end)
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.2)  # until the system watches
        for place in (*(project / name for name in (*others, *sources)), crate / "lib.rs"):
            place.write_text("new")
        seen.update(await first)
        while crate / "lib.rs" not in seen:
            seen.update(await anext(stream))
        end.set()
        return seen

    expected = {*(project / name for name in sources), crate / "lib.rs"}
    assert asyncio.run(asyncio.wait_for(watch(), 30)) == expected


def test_what_dev_watches_without_a_hook(tmp_path: Path):
    """The build says what is wrong with the project; its folder is watched."""
    (tmp_path / "pyproject.toml").write_text("nonsense")
    assert _roots(tmp_path) == [tmp_path.resolve()]


def test_what_changes_during_the_first_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """It is built, too. Then Ctrl-C ends the command well."""
    (tmp_path / "page").mkdir()
    (tmp_path / "pyproject.toml").write_text(HOOK)
    builds = []

    def build(folder: Path, work: Path) -> Path:
        builds.append(work)
        if len(builds) == 1:
            (folder / "lib.rs").write_text("new")
        else:
            os.kill(os.getpid(), signal.SIGINT)
        wheel = tmp_path / "target" / "bank.whl"
        wheel.parent.mkdir(exist_ok=True)
        wheel.write_text(str(len(builds)))
        return wheel

    monkeypatch.setattr(dev, "build_project", build)
    monkeypatch.setattr(dev, "fill", lambda *_: None)
    assert main(["dev", str(tmp_path), "--port", "0"]) == 0
    assert len(builds) == 2
