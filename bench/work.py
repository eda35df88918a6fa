"""Runs inside Pyodide: work for modules that are rewritten, and comparisons with modules that are not."""

import importlib.resources
import itertools
import statistics
import time

import unpanic
from pyodide.code import run_js
from pyodide.ffi import to_js
from pyodide.http import pyfetch

KERNELS = "/fixtures/kernels/pkg/abort/kernels"
ROUNDS = 25
FIRST_ROUNDS = 9
# So many calls of an instance run before the engine has optimised much.
FIRST_CALLS = 3
WARM_SECONDS = 1.5


def prql(module):
    options = module.CompileOptions()
    options.format = False
    options.signature_comment = False
    steps = "\n".join(f"derive a{number} = a{number - 1} + {number}" for number in range(1, 12))
    return module.compile(f"from tracks\nderive a0 = 1\n{steps}\nfilter a5 > 10", options)


def sqlparser(module, count=400):
    conditions = " and ".join(f"x{n} = {n}" for n in range(count))
    return module.format_sql("generic", f"select a, b from c where {conditions}")


PYTHON = "def f(x, y):\n    if x  ==1 : return [ y,x ]\n    import os\n    return {'a' :x}\n" * 100


def ruff(module):
    workspace = module.Workspace({}, module.PositionEncoding.Utf16)
    result = len(workspace.format(PYTHON)) + len(workspace.check(PYTHON))
    workspace.free()
    return result


def inline(module):
    rules = "".join(f".c{number} {{ color: #00{number % 10}; margin: {number}px }}" for number in range(60))
    items = "".join(f'<p class="c{number % 60}">text</p>' for number in range(300))
    return module.inline(f"<style>{rules}</style>{items}", None)


def oxigraph(module):
    store = module.Store()
    store.load(
        "".join(f"<http://a/{n % 50}> <http://b/{n % 7}> <http://c/{n}> .\n" for n in range(400)),
        options={"format": "application/n-triples"},
    )
    found = store.query("SELECT ?s (COUNT(?o) AS ?n) WHERE { ?s <http://b/3> ?o } GROUP BY ?s")
    store.free()
    return len(found)


def resvg(module):
    shapes = "".join(
        f'<circle cx="{13 * n % 400}" cy="{29 * n % 400}" r="{n % 60}" fill="rgb({n % 255},9,9)" opacity="0.5"/>'
        for n in range(200)
    )
    drawing = module.Resvg(f'<svg xmlns="http://www.w3.org/2000/svg" width="400" height="400">{shapes}</svg>')
    picture = drawing.render()
    result = len(picture.pixels)
    picture.free()
    drawing.free()
    return result


# name: glue, Wasm file, work
SUBJECTS = {
    **{
        f"kernel {name}": (
            f"{KERNELS}.js",
            f"{KERNELS}_bg.wasm",
            lambda module, name=name, n=n: getattr(module, name)(n),
        )
        for name, n in {"sort": 100_000, "tree": 40_000, "text": 60_000, "matrix": 200, "fill": 2_000_000}.items()
    },
    "parse (prql-js)": ("/compat/prql-js/dist/web/prql_js.js", "/compat/prql-js/dist/web/prql_js_bg.wasm", prql),
    "format (sqlparser-ts)": (
        "/compat/@guanmingchiu/sqlparser-ts/wasm/sqlparser_rs_wasm.js",
        "/compat/@guanmingchiu/sqlparser-ts/wasm/sqlparser_rs_wasm_bg.wasm",
        sqlparser,
    ),
    "lint (ruff-wasm-web)": (
        "/compat/@astral-sh/ruff-wasm-web/ruff_wasm.js",
        "/compat/@astral-sh/ruff-wasm-web/ruff_wasm_bg.wasm",
        ruff,
    ),
    "inline (css-inline-wasm)": (
        "/compat/@css-inline/css-inline-wasm/index.mjs",
        "/compat/@css-inline/css-inline-wasm/index_bg.wasm",
        inline,
    ),
    "render (resvg-wasm)": ("/compat/@resvg/resvg-wasm/index.mjs", "/compat/@resvg/resvg-wasm/index_bg.wasm", resvg),
}


def seconds_of(work, module):
    began = time.perf_counter()
    work(module)
    return time.perf_counter() - began


def ratio(plain, rewritten):
    """The ratio of each round, and that of the fastest rounds, which is steadier on a busy machine."""
    values = [mine / theirs for mine, theirs in zip(rewritten, plain, strict=True)]
    low, median, high = statistics.quantiles(values)
    return {
        "median": median,
        "low": low,
        "high": high,
        "fastest": min(rewritten) / min(plain),
    }


fresh = itertools.count()


def never_seen(wasm):
    """The same module for the engine to compile anew: it keeps the optimised code of bytes that it knows."""
    return wasm + b"\0\x0a\1n" + next(fresh).to_bytes(8)


async def compare(glue, wasm, work, plain_options, options):
    """The ratios of the first calls of fresh instances, and of calls after the engine had time to optimise.

    The two modules are loaded with `plain_options` and with `options`. The event loop does not turn between the last
    first calls and the optimised ones, so a module that can be rolled back has no plain code for long calls (js/src/
    instance/plain.js): what is compared here is code with marks.
    """
    content = await (await pyfetch(wasm)).bytes()
    first = ([], [])
    for number in range(FIRST_ROUNDS):
        pair = [await unpanic.load(glue, wasm=never_seen(content), **given) for given in (plain_options, options)]
        for which in order(number):
            first[which].append(seconds_of(repeated(work, FIRST_CALLS), pair[which]))
        if number < FIRST_ROUNDS - 1:
            unload(pair)
    if pair[0] is pair[1] or work(pair[0]) != work(pair[1]):
        raise AssertionError(f"{glue} gives something else when it is rewritten")
    warm = optimised(work, pair)
    unload(pair)
    return {"ms": statistics.median(warm[0]) * 1000, "first": ratio(*first), "warm": ratio(*warm)}


def optimised(work, pair):
    """Seconds for each call of either module, in rounds, once the engine had time to optimise."""
    until = time.perf_counter() + WARM_SECONDS
    while time.perf_counter() < until:
        for module in pair:
            work(module)
    # One turn of a round takes 20 ms or so, because the clock is coarse and a collection takes its time.
    times = max(1, round(0.02 / seconds_of(work, pair[0])))
    taken = ([], [])
    for number in range(ROUNDS):
        for which in order(number):
            taken[which].append(seconds_of(repeated(work, times), pair[which]) / times)
    return taken


def order(number):
    """Which of two begins changes from round to round."""
    return (0, 1) if number % 2 else (1, 0)


def repeated(work, times):
    def several(module):
        for _ in range(times):
            work(module)

    return several


def unload(modules):
    for module in modules:
        unpanic.unload(module)


REWRITE = """(rewriter, options) => {
    const compiled = new WebAssembly.Module(rewriter);
    return (wasm) => {
        const began = performance.now();
        const { exports } = new WebAssembly.Instance(compiled);
        const address = exports.allocate(wasm.length);
        new Uint8Array(exports.memory.buffer).set(wasm, address);
        if (exports.rewrite_module(options)) throw new Error("refused");
        const length = exports.result_length();
        new Uint8Array(exports.memory.buffer, exports.result_address(), length).slice();
        return [performance.now() - began, length];
    };
}"""


async def rewriting(subjects, options):
    """How fast each file is rewritten, the first time and later, and by how much it grows.

    The options are those of the rewriter: 1 for deadlines, 2 for rollback.
    """
    rewriter = importlib.resources.files("unpanic").joinpath("rewriter.wasm").read_bytes()
    result = {}
    for name, (_, wasm, _) in subjects.items():
        if name.startswith("kernel ") and name != "kernel sort":
            continue
        content = await (await pyfetch(wasm)).bytes()
        rewrite = run_js(REWRITE)(to_js(rewriter), options)
        runs = [rewrite(to_js(content)).to_py() for _ in range(4)]
        megabytes = len(content) / 1e6
        result[name.replace(" sort", "s")] = {
            "megabytes": megabytes,
            "first": megabytes / runs[0][0] * 1000,
            "later": megabytes / statistics.median(run[0] for run in runs[1:]) * 1000,
            "growth": runs[0][1] / len(content),
        }
    return result
