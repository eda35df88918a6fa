#!/usr/bin/env python3
"""Sets up everything that the Makefile's targets need, once.

Makes `.venv` (development tools), `.cache/wheels` (what tests install in Pyodide), `js/node_modules`
and `.cache/browser.json` (how to launch each browser). Arguments name the parts that only some targets need:
`setup.py compat site examples docs`. Set-up skips a part whose stamp matches, so every target can call this
script first. The script uses only the standard library and runs on Python 3.8 or newer, because it has to find
a newer Python.
"""

import ast
import fcntl
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
CACHE = ROOT / ".cache"
WHEELS = CACHE / "wheels"
BROWSERS = CACHE / "browser.json"

# The parts that an argument names: folders with npm packages, and dependency groups that get an environment each.
EXTRAS = {
    "compat": (["tests/compat"], []),  # 470 MB
    "site": (["web"], []),
    "examples": (["examples", "examples/vite"], ["examples"]),
    "docs": ([], ["docs"]),
    "webkit": ([], []),  # a browser, see ENGINES
    "rust": ([], []),  # what builds crates
}

OLDEST_PYTHON = (3, 12)
OLDEST_NODE = 18
ENGINES = {
    "chromium": {
        "commands": ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"],
        "debian": ["chromium"],
    },
    "firefox": {"commands": ["firefox-esr", "firefox"], "debian": ["firefox-esr"]},
    # Playwright drives only its own build. Others are driven by WebDriver, on a screen of Xvfb.
    "webkit": {"commands": ["WebKitWebDriver"], "debian": ["webkit2gtk-driver", "xvfb"]},
}
SECONDS_TO_FIRST_BYTE = 20
SECONDS_TO_START = 30


class SetupError(Exception):
    """Set-up cannot go on; the message says what the user can do."""


def main():
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two targets must not build the same folder at the same time
        extras = [EXTRAS[name] for name in sys.argv[1:]]
        engines = [engine for engine in ENGINES if engine not in EXTRAS or engine in sys.argv[1:]]
        parts = [partial(set_up_tools, engines), lambda: set_up_node(ROOT / "js")]
        parts += [partial(set_up_node, ROOT / folder) for folders, _ in extras for folder in folders]
        parts += [partial(set_up_python, CACHE / group, group) for _, groups in extras for group in groups]
        # The parts run in parallel, because they wait for the network most of the time.
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(part) for part in parts]:
                done.result()
        if "rust" in sys.argv[1:]:
            set_up_rust()


def set_up_tools(engines):
    set_up_python(VENV, "dev")
    set_up_wheels()
    set_up_browsers(engines)


# Python


def set_up_python(folder, group):
    requirements = dependency_group(group)
    stamp = Stamp(folder / "stamp", requirements)
    interpreter = folder / "bin" / "python"
    if stamp.matches() and interpreter.exists():
        return
    python = find_python()
    with step(f"Python packages ({group}) into {folder.relative_to(ROOT)}"):
        remove(folder)
        run(python, "-m", "venv", str(folder))
        run(str(interpreter), "-m", "pip", "install", "--quiet", *requirements)
    stamp.write()


def set_up_wheels():
    requirements = dependency_group("notebook")
    stamp = Stamp(WHEELS / "stamp", requirements)
    if stamp.matches():
        return
    with step("wheels for Pyodide into .cache/wheels"):
        remove(WHEELS)
        download = [str(VENV_PYTHON), "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        # These are the wheels that Pyodide would choose, independent of the Python that runs this.
        target = ["--python-version=3.14", "--implementation=cp", "--abi=cp314", "--abi=none"]
        target += ["--platform=pyemscripten_2026_0_wasm32", "--platform=any", "--dest", str(WHEELS)]
        run(*download, *target, *requirements)
    stamp.write()


def dependency_group(name):
    text = (ROOT / "pyproject.toml").read_text()
    # This Python may be too old for tomllib. A TOML list of strings is a Python list as well.
    return ast.literal_eval(re.search(rf"^{name} = (\[.*?^\])", text, re.M | re.S).group(1))


def find_python():
    for candidate in python_candidates():
        if is_usable_python(candidate):
            return candidate
    wanted = ".".join(map(str, OLDEST_PYTHON))
    raise SetupError(
        f"no Python {wanted} or newer with venv was found. Install one (python{wanted} with its "
        f"venv package, pyenv install {wanted}, or uv python install {wanted}) and try again."
    )


def python_candidates():
    for name in ("python3.14", "python3.13", "python3.12", "python3"):
        path = shutil.which(name)
        if path:
            yield path
    pyenv = os.environ.get("PYENV_ROOT") or str(Path.home() / ".pyenv")
    yield from sorted(glob.glob(pyenv + "/versions/3.1[2-9]*/bin/python"), reverse=True)  # noqa: PTH207 (skips unreadable folders)
    if shutil.which("uv"):
        command = ["uv", "python", "find", "--no-python-downloads", ">=3.12"]
        yield from output(command).split("\n")[:1]


def is_usable_python(path):
    # A pyenv shim may stand for no version at all, and Debian's python3 may lack ensurepip.
    check = f"import ensurepip, sys, venv; print(sys.version_info >= {OLDEST_PYTHON})"
    return bool(path) and output([path, "-c", check]) == "True"


# Node


def set_up_node(folder):
    package, lock = folder / "package.json", folder / "package-lock.json"
    modules = folder / "node_modules"
    stamp = Stamp(modules / ".stamp", [package.read_text(), lock.read_text()])
    if stamp.matches():
        return
    require_node()
    with step(f"npm packages into {modules.relative_to(ROOT)}"):
        run("npm", "ci", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error", cwd=folder)
    stamp.write()


def require_node():
    version = output(["node", "--version"])
    if not shutil.which("npm") or not version or int(version[1:].split(".")[0]) < OLDEST_NODE:
        raise SetupError(
            "Node.js {} or newer with npm is needed to bundle the JavaScript runtime; found {}.".format(
                OLDEST_NODE, version or "none"
            )
        )


# Browsers


def set_up_browsers(engines):
    known = json.loads(BROWSERS.read_text()) if BROWSERS.exists() else {}
    chosen = {**known, **{engine: choose_browser(engine, known) for engine in engines}}
    if not chosen["chromium"]:
        raise SetupError(
            "no browser: install Chromium or Chrome, or run "
            "`.venv/bin/playwright install --with-deps chromium`, and try again."
        )
    if chosen != known:
        write(BROWSERS, json.dumps(chosen))


def choose_browser(engine, known):
    """Returns the options with which Playwright launches this engine, or the path of its WebDriver, or None."""
    choice = known.get(engine)
    if choice and Path(choice.get("driver") or choice["executable_path"]).exists():
        return choice
    finders = [(playwright_browser, True), (installed_browser, False)]
    gave_up = engine in known and choice is None
    if not gave_up:
        finders += [(download_browser, True), (apt_browser, False)]
    for find, is_playwrights in finders:
        path = find(engine)
        for options in launch_options(engine, path, is_playwrights) if path else ():
            if starts(engine, options):
                print(f"set-up: {engine} is {path}", flush=True)
                return options
    if not gave_up:
        print(f"set-up: no {engine} was found", flush=True)
    return None


def launch_options(engine, path, is_playwrights):
    """Returns the ways to launch a browser, the best one first."""
    if engine == "firefox":
        # Only Playwright's own build of Firefox speaks its protocol. The channel selects WebDriver BiDi for others.
        return [{"executable_path": path, **({} if is_playwrights else {"channel": "moz-firefox"})}]
    if engine == "webkit":
        return [{"executable_path" if is_playwrights else "driver": path}]
    # Chromium does not run in its sandbox as root.
    return [{"executable_path": path, "chromium_sandbox": on} for on in (True, False) if not (on and os.geteuid() == 0)]


def playwright_browser(engine):
    script = (
        "from playwright.sync_api import sync_playwright\n"
        f"with sync_playwright() as p: print(p.{engine}.executable_path)"
    )
    path = output([str(VENV_PYTHON), "-c", script])
    return path if path and Path(path).exists() else None


def installed_browser(engine):
    return next(filter(None, map(shutil.which, ENGINES[engine]["commands"])), None)


def download_browser(engine):
    """Lets Playwright download its build, but gives up soon if no data arrives."""
    command = [str(VENV_PYTHON), "-m", "playwright", "install", "--no-shell", engine]
    with step(f"{engine} from Playwright"):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True)
        timer = threading.Timer(SECONDS_TO_FIRST_BYTE, kill_group, [process])
        timer.start()
        for line in process.stdout:
            if b"%" in line:  # the progress bar moves, so the download may take long
                timer.cancel()
        process.wait()
        timer.cancel()
    return playwright_browser(engine)


def apt_browser(engine):
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return None
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    packages = ENGINES[engine]["debian"]
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    with step(f"{' and '.join(packages)} from apt"):
        subprocess.run(["apt-get", "update", "-qq"], env=environment, stdout=subprocess.DEVNULL)
        subprocess.run(install, env=environment, stdout=subprocess.DEVNULL)
    return installed_browser(engine)


def starts(engine, options):
    if "driver" in options:
        script = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\nfrom tests import webkit\n"
            f"browser = webkit.Browser({options['driver']!r})\n"
            "print(browser.new_context().new_page().evaluate('document.title') or 'up')\nbrowser.close()"
        )
    else:
        script = (
            "from playwright.sync_api import sync_playwright\n"
            f"with sync_playwright() as p: print(p.{engine}.launch(**{options!r}).new_page().title() or 'up')"
        )
    return output([str(VENV_PYTHON), "-c", script]) == "up"


# Rust


def set_up_rust():
    """Installs what builds a crate for Wasm, if it can be had here; without it, tests that need it are skipped."""
    crate = ROOT / "tests/tools/small"
    if subprocess.run([str(VENV_PYTHON), "-m", "scripts.rust", str(crate), "look"], cwd=str(ROOT)).returncode == 0:
        return
    with step("what builds crates"):
        subprocess.run([str(VENV_PYTHON), "-m", "scripts.rust", str(crate), "install"], cwd=str(ROOT))


# Helpers


class Stamp:
    """A file with the hash of the inputs from which a folder was built. It is written last."""

    def __init__(self, path, inputs):
        self.path = path
        self.digest = hashlib.sha256(json.dumps(inputs).encode()).hexdigest()

    def matches(self):
        return self.path.exists() and self.path.read_text() == self.digest

    def write(self):
        write(self.path, self.digest)


@contextmanager
def step(name):
    print(f"set-up: {name} ...", flush=True)
    start = time.monotonic()
    yield
    print(f"set-up: {name} took {time.monotonic() - start:.1f} s", flush=True)


def run(*command, cwd=ROOT):
    try:
        subprocess.run(command, cwd=str(cwd), check=True)
    except subprocess.CalledProcessError as error:
        raise SetupError("`{}` failed, see above.".format(" ".join(command))) from error


def output(command):
    """Returns the output of a command, or an empty text if the command cannot run, fails or hangs."""
    try:
        result = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            timeout=SECONDS_TO_START,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return result.stdout.decode().strip() if result.returncode == 0 else ""


def kill_group(process):
    """Kills a process that leads a session, and its children."""
    os.killpg(process.pid, signal.SIGKILL)


def write(path, text):
    """Writes a file in one step, so that an interrupted set-up leaves either the old file or the whole new one."""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text)
    draft.replace(path)


def remove(folder):
    if folder.exists():
        shutil.rmtree(str(folder))


if __name__ == "__main__":
    try:
        main()
    except SetupError as error:
        sys.exit(f"set-up: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
