"""A crate becomes a wheel that runs: `[tool.hatch.build.hooks.unpanic]`, built by pip, used in Pyodide under Node.

These tests need a Rust toolchain for Wasm and the command of wasm-bindgen: `make crate`.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from unpanic_tools.mark import Mark

from tests.tools.building import CRATE, Project, contents, install_tools, need_rust, run_in_pyodide, run_on_desktop

if TYPE_CHECKING:
    from collections.abc import Callable

# Each type of an integer, with its lowest and its highest value.
INTEGERS = {
    f"{sign}{bits}": (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if sign == "i" else (0, 2**bits - 1)
    for sign in "iu"
    for bits in (8, 16, 32, 64, 128)
} | {"isize": (-(2**31), 2**31 - 1), "usize": (0, 2**32 - 1)}
TWICE = """\
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn twice(n: i8) -> i16 {
    i16::from(n) * 2
}
"""
U64 = 2**64 - 1
MAYBE = [name for name in INTEGERS if not name.endswith(("128", "size"))]


@pytest.fixture(scope="session", autouse=True)
def toolchain() -> None:
    """Skips the tests of this file where no Rust can be compiled for Wasm."""
    need_rust(CRATE)


@pytest.fixture(scope="session")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with unpanic and its tools, as dist/ has them."""
    return install_tools(tmp_path_factory.mktemp("tools"))


@pytest.fixture
def new_project(tmp_path: Path, tools: Path) -> Callable[..., Project]:
    """Makes a project with the test crate; all share what cargo has compiled."""

    def make(options: str = "", name: str = "project") -> Project:
        return Project.copy(tmp_path / name / "crate", tools, options)

    return make


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, tools: Path) -> Path:
    """The wheel of the test crate."""
    return Project.copy(tmp_path_factory.mktemp("wheel") / "crate", tools).build()


def test_the_wheel_has_everything(wheel: Path):
    """Glue, Wasm, types, a stub and what makes it a package; it runs on every Python, and needs unpanic."""
    files = contents(wheel)
    assert wheel.name == "exact_numbers-1.2.3-py3-none-any.whl"
    package = {name.removeprefix("exact/") for name in files if ".dist-info/" not in name}
    assert package == {"__init__.py", "__init__.pyi", "py.typed", "exact.js", "exact.d.ts", "exact_bg.wasm"}
    metadata = files["exact_numbers-1.2.3.dist-info/METADATA"].decode()
    assert re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE) == ["unpanic>=0.1.0"]
    assert Mark.of(files["exact/exact_bg.wasm"]) is None


def test_no_path_of_this_machine_is_in_the_wheel(wheel: Path):
    """Panics name files by paths that are the same on every machine."""
    for name, content in contents(wheel).items():
        assert not re.findall(rb"(?<![\w./-])/(?:root|home|Users|usr|tmp|work|builds?)/[\w./-]*", content), name


def test_the_stub_has_docs_names_and_defaults(wheel: Path):
    """They come from Rust, and numbers are integers or floats as in Rust."""
    stub = contents(wheel)["exact/__init__.pyi"].decode()
    assert 'def add_small(first: int, second: int | None = None) -> int:\n    """Adds two small numbers.' in stub
    assert "    first: The first one." in stub
    assert "def set_level(level: Level) -> int:" in stub
    assert "def maybe_f32(n: float | None = None) -> float | None: ..." in stub
    assert "def take_u64(n: int) -> int: ..." in stub
    assert "async def later(n: int) -> int: ..." in stub
    assert 'def divide_by(all: int, part_size: int | None = None) -> float:\n    """Divides one by the other.' in stub
    assert "        all: What is divided.\n        part_size: By what.\n\n    Returns:\n        How often it" in stub
    assert "def level_of(n: Level | None = None) -> Level: ..." in stub
    assert "def sum(numbers: Buffer | Sequence[int]) -> int: ..." in stub
    assert "def vec_f32(v: Buffer | Sequence[float]) -> _array[float]: ..." in stub
    assert "def maybe_point(point: Point | None = None) -> Point | None: ..." in stub
    assert 'def volume(v: Volume | Literal["low", "high"]) -> Volume: ...' in stub
    assert "    @shift.setter\n    def shift(self, value: Shift) -> None: ..." in stub
    assert "def untyped" not in stub
    assert "    def height(self, value: int | None) -> None: ..." in stub
    assert "type u8" not in stub


def test_each_number_is_exact(wheel: Path):
    """In Pyodide, each type takes its lowest and its highest value, and refuses what is beyond: nothing is wrapped."""
    answer = run_in_pyodide(
        f"""
        import exact

        def refused(function, *args):
            try:
                return repr(function(*args))
            except OverflowError as error:
                return str(error)

        answer = {{}}
        for name, (low, high) in {INTEGERS!r}.items():
            for prefix in ["take_", "maybe_"] if name in {MAYBE!r} else ["take_"]:
                function = getattr(exact, prefix + name)
                takes = function(low) == low, function(high) == high
                answer[prefix + name] = [*takes, refused(function, low - 1), refused(function, high + 1)]
        """,
        wheel,
    )
    assert len(answer) == len(INTEGERS) + len(MAYBE)
    for name, (takes_low, takes_high, below, above) in answer.items():
        rust = name.partition("_")[2].replace("size", "32")
        low, high = INTEGERS[rust]
        article = "an" if rust.startswith("i") else "a"
        assert (takes_low, takes_high) == (True, True), name
        for value, message in ((low - 1, below), (high + 1, above)):
            assert message == f"{name}() argument 'n': {value} does not fit {article} {rust} ({low} to {high})"


def test_floats_characters_and_members_are_exact(wheel: Path):
    """An f32 takes no number that would be infinite; a char is one character; members check, and async functions."""
    answer = run_in_pyodide(
        """
        import exact

        def outcome(function, *args):
            try:
                return repr(function(*args))
            except (OverflowError, TypeError) as error:
                return type(error).__name__

        thing = exact.Thing(7)
        answer = [
            outcome(exact.take_f32, 1.5), outcome(exact.take_f32, 1e39), outcome(exact.take_f32, float("inf")),
            outcome(exact.maybe_f32, -1e39), outcome(exact.maybe_f32), outcome(exact.take_f64, 1e300),
            outcome(exact.take_char, "ü"), outcome(exact.take_char, "ab"), outcome(exact.maybe_char, ""),
            outcome(exact.maybe_char, None), outcome(exact.take_bool, 1),
            outcome(exact.Thing, 256), outcome(exact.Thing.new, 65535), outcome(exact.Thing.new, 65536),
            outcome(thing.paint, exact.Color.Green, 255, [1, 2]), outcome(thing.paint, exact.Color.Red, 256, []),
            outcome(thing.paint, exact.Color.Red, 1, [65536]), outcome(exact.Thing.from_other, thing, -129),
            outcome(setattr, thing, "width", 256), outcome(setattr, thing, "height", -32769),
            outcome(setattr, thing, "level", -1), outcome(setattr, thing, "height", None),
            outcome(exact.set_level, 2), outcome(exact.set_level, 256), outcome(exact.wider, 256),
            outcome(exact.add_small, 255), outcome(exact.add_small, 1, 256), outcome(exact.check, 65536),
        ]
        try:
            await exact.later(65536)
        except OverflowError:
            answer.append(await exact.later(65535))
        """,
        wheel,
    )
    refused = "OverflowError"
    assert answer == [
        "1.5", refused, "inf", refused, "None", "1e+300", "'ü'", "TypeError", "TypeError", "None", "TypeError",
        refused, "65535", refused, "269", refused, refused, refused, refused, refused, refused, "None",
        "2", refused, refused, "256", refused, refused, 65535,
    ]  # fmt: skip


def test_every_kind_of_value_is_exact(wheel: Path):
    """Also inside of lists, fields, enums, closures and namespaces; errors name what was called or assigned to."""
    answer = run_in_pyodide(
        """
        import array
        import exact

        def outcome(function, *args):
            try:
                return repr(function(*args))
            except (OverflowError, TypeError, ValueError) as error:
                return str(error)

        point = exact.Point(1, 2)
        answer = {}
        for what in [
            "vec_u8([256])", "vec_i8(bytes([255]))", "vec_u64(array.array('q', [-1]))", "box_f32([1, 1e39])",
            "sum([65535, -1])", "maybe_vec([300])", "maybe_u128(-1)", "maybe_isize(2**31)", "shift(0)", "shift(-1)",
            "maybe_shift(7)", "volume('loud')", "volume('low')", "points([40000])", "Point(40000)",
            "Point.checked(-129)", "level_of(256)", "untyped(256)", "divide_by(1, part_size=65536)", "divide_by(10, 4)",
            "moved(Point(1), 128)", "push_right(Point(1), 256)", "adder(2)(256)", "adder(2)(255)",
            "joiner()(5, None, 'x')", "joiner()(5, 2**15, 'x')", "tools['in_tools'](256)",
            "apply(lambda n: n * 2, 256)", "double([1])",
        ]:
            answer[what] = outcome(eval, what, {**vars(exact), "array": array, "bytes": bytes})
        for name, value in {
            "x": 2**15, "y": 256, "weight": -1e39, "zoom_level": 128, "shift": 0, "mark": "ab", "far_away": -1,
        }.items():
            answer[name] = outcome(setattr, point, name, value)
        numbers = bytearray([1, 130])
        exact.double(numbers)
        answer["kept"] = [point.x, point.y, point.id == 2**63, list(numbers)]
        """,
        wheel,
    )
    assert answer == {
        "vec_u8([256])": "vec_u8() argument 'v': element 0: 256 does not fit a u8 (0 to 255)",
        "vec_i8(bytes([255]))": "vec_i8() argument 'v': element 0: 255 does not fit an i8 (-128 to 127)",
        "vec_u64(array.array('q', [-1]))": f"vec_u64() argument 'v': element 0: -1 does not fit a u64 (0 to {U64})",
        "box_f32([1, 1e39])": "box_f32() argument 'v': element 1: 1e+39 does not fit an f32 (up to 3.4028235e+38)",
        "sum([65535, -1])": "sum() argument 'numbers': element 1: -1 does not fit a u16 (0 to 65535)",
        "maybe_vec([300])": "maybe_vec() argument 'v': element 0: 300 does not fit a u8 (0 to 255)",
        "maybe_u128(-1)": f"maybe_u128() argument 'v': -1 does not fit a u128 (0 to {2**128 - 1})",
        "maybe_isize(2**31)": f"maybe_isize() argument 'v': {2**31} does not fit an i32 ({-(2**31)} to {2**31 - 1})",
        "shift(0)": "shift() argument 'v': 0 is not a valid Shift",
        "shift(-1)": "<Shift.Down: -1>",
        "maybe_shift(7)": "maybe_shift() argument 'v': 7 is not a valid Shift",
        "volume('loud')": "volume() argument 'v': 'loud' is not a valid Volume: it has 'low', 'high'",
        "volume('low')": "<Volume.Low: 'low'>",
        "points([40000])": "points() argument 'xs': element 0: 40000 does not fit an i16 (-32768 to 32767)",
        "Point(40000)": "Point() argument 'x': 40000 does not fit an i16 (-32768 to 32767)",
        "Point.checked(-129)": "Point.checked() argument 'x': -129 does not fit an i8 (-128 to 127)",
        "level_of(256)": "level_of() argument 'n': 256 does not fit a u8 (0 to 255)",
        "untyped(256)": "untyped() argument 'n': 256 does not fit a u8 (0 to 255)",
        "divide_by(1, part_size=65536)": "divide_by() argument 'part_size': 65536 does not fit a u16 (0 to 65535)",
        "divide_by(10, 4)": "2.5",
        "moved(Point(1), 128)": "moved() argument 'by': 128 does not fit an i8 (-128 to 127)",
        "push_right(Point(1), 256)": "push_right() argument 'by': 256 does not fit a u8 (0 to 255)",
        "adder(2)(256)": "closure() argument 1: 256 does not fit a u8 (0 to 255)",
        "adder(2)(255)": "257",
        "joiner()(5, None, 'x')": "'5 None JsValue(\"x\")'",
        "joiner()(5, 2**15, 'x')": "closure() argument 2: 32768 does not fit an i16 (-32768 to 32767)",
        "tools['in_tools'](256)": "closure() argument 1: 256 does not fit a u8 (0 to 255)",
        "apply(lambda n: n * 2, 256)": "apply() argument 'n': 256 does not fit a u8 (0 to 255)",
        "double([1])": "double() argument 'numbers': must be a writable buffer of u8, such as bytearray, not list",
        "x": "Point.x: 32768 does not fit an i16 (-32768 to 32767)",
        "y": "Point.y: 256 does not fit a u8 (0 to 255)",
        "weight": "Point.weight: -1e+39 does not fit an f32 (up to 3.4028235e+38)",
        "zoom_level": "Point.zoom_level: 128 does not fit an i8 (-128 to 127)",
        "shift": "Point.shift: 0 is not a valid Shift",
        "mark": "Point.mark: must be a single character, not a string of length 2",
        "far_away": "Point.far_away: -1 does not fit a u8 (0 to 255)",
        "kept": [1, 2, True, [2, 4]],
    }


def test_docs_names_and_defaults_are_in_help(wheel: Path):
    """`help()` and `inspect.signature` inside of Pyodide have what Rust says."""
    text, signatures, annotations = run_in_pyodide(
        """
        import exact, inspect, pydoc, typing

        functions = [exact.divide_by, exact.level_of, exact.Point, exact.Point.checked, exact.later, exact.shift]
        answer = [
            pydoc.plain(pydoc.render_doc(exact.divide_by)),
            [str(inspect.signature(function)).replace("exact.", "") for function in functions],
            {name: str(type_) for name, type_ in typing.get_type_hints(exact.divide_by).items()},
        ]
        """,
        wheel,
    )
    assert text.splitlines()[2:] == [
        "divide_by(all: int, part_size: int | None = None) -> float",
        "    Divides one by the other.",
        "",
        "    Args:",
        "        all: What is divided.",
        "        part_size: By what.",
        "",
        "    Returns:",
        "        How often it fits.",
    ]
    assert signatures == [
        "(all: int, part_size: int | None = None) -> float",
        "(n: Level | None = None) -> Level",
        "(x: int, y: int | None = None) -> None",
        "(x: int) -> Point",
        "(n: int) -> int",
        "(v: Shift) -> Shift",
    ]
    assert annotations == {"all": "<class 'int'>", "part_size": "int | None", "return": "<class 'float'>"}


def test_a_crash_costs_one_exception(wheel: Path):
    """`import exact` gives a module with recovery: after a panic its state is as before the call that failed."""
    answer = run_in_pyodide(
        """
        import exact, unpanic

        answer = [exact.count(False)]
        try:
            exact.count(True)
        except unpanic.Crash as error:
            answer.append(type(error).__name__)
        answer += [exact.count(False), exact.add_small(2, 3), exact.__name__, unpanic.status(exact).recovery]
        """,
        wheel,
    )
    assert answer == [1, "RustPanic", 2, 5, "exact", "rollback"]


def test_on_a_desktop_it_imports_and_says_what_it_needs(wheel: Path, tools: Path):
    """Enums and types are there; each call says that it needs Pyodide."""
    done = run_on_desktop(
        """
        import exact, inspect

        def needs(function, *args):
            try:
                return function(*args)
            except RuntimeError as error:
                print(error)

        print(inspect.signature(exact.add_small), exact.add_small.__doc__.splitlines()[0], exact.Color.Green.value)
        print("add_small" in dir(exact), "Buffer" in dir(exact), inspect.iscoroutinefunction(exact.later))
        needs(exact.add_small, 1)
        needs(exact.Thing, 1)
        needs(exact.later, 1)
        try:
            exact.nothing
        except AttributeError as error:
            print(error)
        """,
        tools,
        wheel,
    )
    head, names, *needs, missing = done.stdout.splitlines()
    assert head.replace("'", "") == "(first: int, second: int | None = None) -> int Adds two small numbers. 5"
    assert names == "True False True"
    assert [line.partition(", ")[0] for line in needs] == [
        f"exact.{call} is Rust" for call in ("add_small()", "Thing()", "later()")
    ]
    assert all("it runs in Pyodide" in line for line in needs)
    assert missing == "module 'exact' has no attribute 'nothing'"


def test_type_checkers_read_the_stub(wheel: Path, tmp_path: Path):
    """A program that uses the module as it is has no error, and each mistake has one."""
    right = """
        import exact
        from exact import Point, Shift, Volume, divide_by

        point: Point = exact.moved(Point(1, None), by=2)
        point.shift = Shift.Down
        ratio: float = divide_by(3, part_size=2)
        numbers: list[Point] = exact.points([1, 2])
        data: bytes = exact.vec_u8(b"ab") + exact.vec_u8([1, 2])
        quiet = exact.volume("low") is Volume.Low

        async def main() -> int:
            return await exact.later(3) + await point.later(1) + (exact.maybe_u128(None) or 0)
    """
    wrong = {
        "exact.take_u8('a')": "arg-type",
        "exact.sum([1.5])": "list-item",
        "exact.divide_by()": "call-arg",
        "exact.Point(1).id = 3": "misc",
        "exact.Point(1).mark = 3": "assignment",
        "exact.shift('up')": "arg-type",
        "exact.volume('loud')": "arg-type",
        "exact.untyped(1)": "attr-defined",
    }
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    (tmp_path / "use.py").write_text(textwrap.dedent(right) + "\n".join(wrong))
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--config-file", os.devnull, "use.py"]
    environment = {**os.environ, "MYPYPATH": str(site)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    found = re.findall(r"^use\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    first = len(textwrap.dedent(right).split("\n"))
    assert [(int(line) - first, code) for line, code in found] == list(enumerate(wrong.values())), done.stdout


def test_two_builds_have_one_hash(new_project: Callable[..., Project], tmp_path: Path, wheel: Path):
    """Wherever the crate is, and whether cargo has built it before: the wheel is the same, byte for byte."""
    project = new_project(name="a-folder-with-another-name")
    project.target = tmp_path / "target"
    assert hashlib.sha256(project.build().read_bytes()).hexdigest() == hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_a_second_build_makes_nothing_again(new_project: Callable[..., Project]):
    """The package of an unchanged crate stays as it is; a changed option makes it anew."""
    project = new_project()
    project.build()
    glue = project.package("exact") / "exact.js"
    before = glue.stat().st_mtime_ns
    project.build()
    assert glue.stat().st_mtime_ns == before
    project.write("pyproject.toml", project.read("pyproject.toml") + "deadlines = true\n")
    project.build()
    assert glue.stat().st_mtime_ns != before


def test_options_reach_the_tools(new_project: Callable[..., Project]):
    """Features, and a file that was rewritten ahead of time; the module's name is that of the option."""
    project = new_project(
        'module = "numbers_of.rust"\nfeatures = ["extra"]\ndeadlines = true\nload.timeout = 20\nrollback = true'
    )
    built = project.build()
    mark = Mark.of(contents(built)["numbers_of/rust/rust_bg.wasm"])
    assert mark and mark.deadlines and mark.tracked
    answer = run_in_pyodide(
        """
        import numbers_of.rust as rust
        import unpanic

        with unpanic.deadline(5):
            answer = [rust.extra(), rust.add_small(2, 3)]
        with open(rust.__file__.replace("rust.js", "__init__.py")) as file:
            answer.append("timeout=20" in file.read())
        answer.append(unpanic.status(rust).recovery)
        """,
        built,
    )
    assert answer == ["extra", 5, True, "rollback"]


def test_several_crates_beside_python_files(new_project: Callable[..., Project]):
    """Members of a workspace become modules of one package, whose own files are Python's."""
    project = new_project()
    project.write("pair/__init__.py", "from .one import addSmall\nfrom .two import twice\n")
    for name in ("one", "two"):
        shutil.copytree(CRATE, project.folder / "crates" / name)
        manifest = project.read(f"crates/{name}/Cargo.toml").replace("[workspace]\n", "")
        manifest = manifest.replace('"exact-numbers"', f'"{name}"').replace('"exact"', f'"{name}"')
        project.write(f"crates/{name}/Cargo.toml", manifest)
    project.write("crates/two/src/lib.rs", TWICE)
    project.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["crates/*"]\n')
    shutil.rmtree(project.folder / "src")
    project.write(
        "pyproject.toml",
        """
        [build-system]
        requires = ["hatchling", "unpanic-tools"]
        build-backend = "hatchling.build"

        [project]
        name = "pair"
        version = "1"

        [tool.hatch.build.hooks.unpanic]
        crates = [
            { crate = "crates/one", module = "pair.one" },
            { crate = "crates/two", module = "pair.two" },
        ]
        """,
    )
    built = project.build()
    assert "pair/one/one_bg.wasm" in contents(built)
    answer = run_in_pyodide("import pair\nanswer = [pair.addSmall(1, 2), pair.twice(-128), pair.two.__name__]", built)
    assert answer == [3, -256, "pair.two"]


def test_a_source_distribution_builds_the_same_wheel(new_project: Callable[..., Project], tmp_path: Path, wheel: Path):
    """It has the crate, and nothing that cargo has made."""
    project = new_project()
    command = [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path]
    subprocess.run(
        command, cwd=project.folder, env={**project.environment, "PYTHONPATH": str(project.tools)}, check=True
    )
    (source,) = tmp_path.glob("*.tar.gz")
    assert source.stat().st_size < 20_000
    assert project.build(source).read_bytes() == wheel.read_bytes()
    # The files of a distribution have the same time whatever is in them.
    project.write("src/lib.rs", project.read("src/lib.rs").replace("first) +", "first) + 1 +"))
    subprocess.run(command, cwd=project.folder, env={"PYTHONPATH": str(project.tools)}, check=True)
    changed = project.build(source)
    assert run_in_pyodide("import exact\nanswer = exact.add_small(2, 3)", changed) == 6


def test_a_build_that_fails_says_why(new_project: Callable[..., Project]):
    """One line after what cargo has said, or instead of it; no traceback."""
    project = new_project('profil = "dev"')
    done = project.try_to_build()
    assert done.returncode != 0
    said = done.stdout + done.stderr
    message = "[tool.hatch.build.hooks.unpanic]: there is no option 'profil'. Did you mean 'profile'?"
    assert f"unpanic: {message}" in said
    assert "Traceback" not in said


@pytest.mark.long
def test_frames_of_a_debug_build_have_lines(new_project: Callable[..., Project]):
    """Tracebacks name them in each form in which the file may run: rewritten at load, for stops, or not at all."""
    project = new_project('profile = "dev"')
    built = project.build()
    assert len(contents(built)["exact/exact_bg.wasm"]) < 2_000_000
    assert Mark.of(contents(built)["exact/exact_bg.wasm"]) is None
    answer = run_in_pyodide(
        """
        import asyncio, copy, pickle, traceback
        import exact, unpanic

        def crash(module, *args):
            try:
                module.fail_later(*args)
            except unpanic.Crash as error:
                answer.append([list(map(list, error.frames)), error.recovery])

        try:
            exact.fail_inside(3)
        except unpanic.Crash as error:
            copied = pickle.loads(pickle.dumps(error))
            answer = [error.frames == copied.frames, "".join(traceback.format_exception(error))]
        for options in {}, {"recovery": "reset"}, {"recovery": "reset", "timeout": 60}, {"timeout": 60}:
            module = await unpanic.load(exact.__file__, **options)
            crash(module, 1, 3)
        # By now a call that takes long runs code without marks.
        for _ in range(20):
            module.fail_later(3_000_000, 0)
            await asyncio.sleep(0.05)
        crash(module, 3_000_000, 3)
        """,
        built,
    )
    source = project.read("src/lib.rs").splitlines()
    inner, outer, closure, table = (
        next(at for at, line in enumerate(source, 1) if f"// the {mark}" in line)
        for mark in ("inner line", "outer line", "closure's line", "line of the table")
    )
    is_same, text, *crashes = answer
    assert is_same
    assert f'File "src/lib.rs", line {outer}, in exact::fail_inside\n  File "src/lib.rs", line {inner}, in' in text
    frames = [
        ["exact::inside", "src/lib.rs", inner],
        ["exact::fail_later::{closure#1}", "src/lib.rs", closure],
        ["exact::fail_later", "src/lib.rs", table],
    ]
    assert crashes == [[frames, how] for how in ("rollback", "reset", "reset", "rollback", "rollback")]


@pytest.mark.long
def test_a_build_that_unwinds_has_exact_types(new_project: Callable[..., Project]):
    """The standard library is compiled for it; then a panic is an exception that passes through Rust."""
    built = new_project('panic = "unwind"').build()
    answer = run_in_pyodide(
        """
        import exact, unpanic

        try:
            exact.take_u8(256)
        except OverflowError as error:
            answer = [str(error), unpanic.status(exact).recovery]
        """,
        built,
    )
    assert answer == ["take_u8() argument 'n': 256 does not fit a u8 (0 to 255)", "unwind"]
