"""`import` of a Rust module: from a wheel with glue and Wasm, or after `load` has loaded it."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from scripts.serve import Server
from tests.browser.builds import caught, padded
from tests.places import EVERYWHERE

FIXTURES = Path(__file__).parents[2] / "rust" / "fixtures"


def wheel(package: str, fixture: str, size: int = 0) -> bytes:
    """Returns a wheel like those of build tools: glue, Wasm and stubs in a package of two lines, and its user."""
    built = FIXTURES / fixture / "pkg" / "abort"
    wasm = (built / f"{fixture}_bg.wasm").read_bytes()
    files: dict[str, bytes | str] = {
        f"{package}/__init__.py": f'import unpanic\nunpanic.load_sync("{fixture}.js", name=__name__)\n',
        f"{package}/__init__.pyi": "def add(a: int, b: int) -> int: ...\n",
        f"{package}/py.typed": "",
        f"{package}/{fixture}.js": (built / f"{fixture}.js").read_bytes(),
        f"{package}/{fixture}.d.ts": (built / f"{fixture}.d.ts").read_bytes(),
        f"{package}/{fixture}_bg.wasm": padded(wasm, size) if size else wasm,
        f"{package}_user/__init__.py": f"from {package} import add\nimport {package} as rust\n",
        f"{package}-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n",
        f"{package}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{package}-1.0.dist-info/RECORD"
    files[record] = "".join(f"{name},,\n" for name in [*files, record])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return packed.getvalue()


@pytest.fixture
def wheels(server: Server) -> dict[str, str]:
    """The addresses of two wheels: `banking`, and `hefty` with more than 8 MB."""
    bodies = {"banking": wheel("banking", "bank"), "hefty": wheel("hefty", "faults", 9_000_000)}
    return {name: server.route(f"/wheels/{name}-1.0-py3-none-any.whl", body) for name, body in bodies.items()}


async def install(wheel):
    import importlib

    import pyodide_js

    await pyodide_js.loadPackage(wheel)
    importlib.invalidate_caches()


async def import_from_wheel(wheel):
    import importlib
    import importlib.resources
    import logging
    import sys

    import unpanic

    await install(wheel)
    logging.getLogger("unpanic").setLevel(logging.CRITICAL)
    import banking
    import banking_user
    from banking import count

    same = [
        banking is sys.modules["banking"] is banking_user.rust,
        banking_user.add(2, 3),
        banking.add is banking_user.add,
    ]
    counts = [count(), count()]
    panic = caught(banking.transfer, "nobody", "ada", 5)
    after_crash = [type(panic).__name__, panic.generation, count(), unpanic.status(banking).generation]
    resources = sorted(file.name for file in importlib.resources.files("banking").iterdir() if file.suffix)
    call = banking.slow(1000)
    again = importlib.reload(banking)
    interrupted = type(caught(call.result)).__name__
    after_reload = [again is banking, count(), unpanic.status(banking).generation, interrupted]
    unpanic.unload(banking)
    ended = str(caught(importlib.reload, banking))
    gone = "banking" not in sys.modules
    import banking

    fresh = [banking is not again, banking.count(), banking.add(2, 3)]
    unpanic.unload(banking)
    logging.getLogger("unpanic").setLevel(logging.NOTSET)
    return {
        "same": same,
        "counts": counts,
        "crash": after_crash,
        "reload": after_reload,
        "ended": [ended, gone],
        "fresh": fresh,
        "spec": [banking.__file__, type(banking.__spec__).__name__, banking.__package__],
        "resources": resources,
    }


@EVERYWHERE
def test_a_wheel_with_glue_is_imported(py, wheels):
    """Each form of import works. A crash costs its call, a reload resets, and an unloaded module is imported anew."""
    found = py.run(import_from_wheel, wheel=wheels["banking"])
    assert found["same"] == [True, 5, True]
    assert found["counts"] == [1, 2]
    assert found["crash"] == ["RustPanic", 0, 3, 0]
    assert found["reload"] == [True, 1, 1, "CallInterrupted"]
    assert found["ended"] == [
        "banking cannot be reloaded: the module has ended (it was unloaded). Load it again.",
        True,
    ]
    assert found["fresh"] == [True, 1, 5]
    file, spec, package = found["spec"]
    assert file.endswith("/site-packages/banking/bank.js")
    assert (spec, package) == ("EndedSpec", "banking")
    assert set(found["resources"]) >= {
        "__init__.py",
        "__init__.pyi",
        "bank.js",
        "bank.d.ts",
        "bank_bg.wasm",
        "py.typed",
    }


async def import_hefty(wheel, waits):
    import importlib
    import re
    import sys

    import unpanic

    from js import Function

    await install(wheel)
    for name in ("hefty", "hefty_user"):
        sys.modules.pop(name, None)
    text = ""
    # A stack with JavaScript on it cannot be suspended.
    through_js = Function.new("f", "f()")
    try:
        if waits:
            import hefty
        else:
            through_js(lambda: importlib.import_module("hefty") and None)
            hefty = sys.modules["hefty"]
    except ImportError as error:
        text = str(error)
        kind = type(error.__cause__).__name__
        if kind != "CompileError" or "hefty" in sys.modules:
            return kind, "", ""
        # The line that the message suggests.
        code = re.search(r"`await (unpanic\.load\(.*\))`", text)[1]
        await eval(code, {"unpanic": unpanic})
        import hefty
    import hefty_user

    return text, hefty_user.add(2, 3), type(caught(hefty.panic_formatted, 3)).__name__


@pytest.mark.parametrize("waits", [True, False])
def test_a_wheel_too_large_for_the_main_thread(py, wheels, refuses, waits):
    """The import waits for the browser. Where code cannot wait, the message has the line that makes the import work."""
    text, five, crash = py.run(import_hefty, wheel=wheels["hefty"], waits=waits)
    assert (five, crash) == (5, "RustPanic")
    if refuses and not waits:
        assert text.startswith("cannot import 'hefty': Cannot compile faults_bg.wasm at once: it is larger than 8 MB")
        assert " only. First `await unpanic.load('/" in text
    else:
        assert text == ""


async def import_loaded(glue):
    import importlib
    import pathlib
    import sys

    import unpanic

    for old in ("bank", "random"):
        sys.modules.pop(old, None)
    bank = await unpanic.load(glue)
    pathlib.Path("teller.py").write_text("import bank\nfrom bank import Account, count\n")
    importlib.invalidate_caches()
    import teller

    found = [teller.bank is bank, teller.Account is bank.Account, teller.count(), teller.count()]
    found += [importlib.reload(teller.bank) is bank, teller.count()]
    random = await unpanic.load(glue, name="random")
    found += [random.add(2, 3), importlib.import_module("random") is not random]
    unpanic.unload(bank)
    del sys.modules["teller"]
    pathlib.Path("teller.py").unlink()
    return found, type(caught(importlib.import_module, "bank")).__name__


@EVERYWHERE
def test_what_was_loaded_can_be_imported(py):
    """Every file can import it by its name until it is unloaded. Names of the standard library keep their meaning."""
    found, gone = py.run(import_loaded, glue="/fixtures/bank/pkg/abort/bank.js")
    assert (found, gone) == ([True, True, 1, 2, True, 1, 5, True], "ModuleNotFoundError")
