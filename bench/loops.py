"""Runs inside Pyodide: what it costs that calls can be stopped, against unchanged modules, in interleaved rounds."""

import importlib.resources
import itertools
import json
import math
import statistics
import time

import unpanic
from pyodide.code import run_js
from pyodide.ffi import to_js
from pyodide.http import pyfetch

KERNELS = "/fixtures/kernels/pkg/abort/kernels"
BANK = "/fixtures/bank/pkg/abort/bank.js"
ROUNDS = 25
FIRST_ROUNDS = 7
WARM_SECONDS = 1.5


def prql(module):
    options = module.CompileOptions()
    options.format = False
    options.signature_comment = False
    steps = "\n".join(f"derive a{number} = a{number - 1} + {number}" for number in range(1, 12))
    return module.compile(f"from tracks\nderive a0 = 1\n{steps}\nfilter a5 > 10", options)


def sqlparser(module):
    return module.format_sql("generic", "select a, b from c where " + " and ".join(f"x{n} = {n}" for n in range(400)))


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


def ratio(plain, stoppable):
    """The ratio of each round, and that of the fastest rounds, which is steady on a busy machine too."""
    values = [mine / theirs for mine, theirs in zip(stoppable, plain, strict=True)]
    low, median, high = statistics.quantiles(values)
    return {"median": median, "low": low, "high": high, "fastest": min(stoppable) / min(plain)}


fresh = itertools.count()


def never_seen(wasm):
    """The same module for the engine to compile anew: it keeps the optimised code of bytes that it knows."""
    return wasm + b"\0\x0a\1n" + next(fresh).to_bytes(8)


async def compare(glue, wasm, work):
    """The ratios of the first call, and of calls after the engine had time to optimise."""
    content = await (await pyfetch(wasm)).bytes()
    first = {False: [], True: []}
    for number in range(FIRST_ROUNDS):
        for is_stoppable in (False, True) if number % 2 else (True, False):
            module = await unpanic.load(
                glue, wasm=never_seen(content), **({"timeout": math.inf} if is_stoppable else {})
            )
            first[is_stoppable].append(seconds_of(work, module))
            if number < FIRST_ROUNDS - 1:
                unpanic.unload(module)
            elif is_stoppable:
                stoppable = module
            else:
                plain = module
    if plain is stoppable or work(plain) != work(stoppable):
        raise AssertionError(f"{glue} gives something else when it is rewritten")
    until = time.perf_counter() + WARM_SECONDS
    while time.perf_counter() < until:
        work(plain)
        work(stoppable)
    # One turn of a round takes 20 ms or so, because the clock is coarse and a collection takes its time.
    times = max(1, round(0.02 / seconds_of(work, plain)))

    def several(module):
        for _ in range(times):
            work(module)

    warm = {False: [], True: []}
    for number in range(ROUNDS):
        for is_stoppable in (False, True) if number % 2 else (True, False):
            warm[is_stoppable].append(seconds_of(several, stoppable if is_stoppable else plain) / times)
    unpanic.unload(plain)
    unpanic.unload(stoppable)
    return {
        "ms": statistics.median(warm[False]) * 1000,
        "first": ratio(first[False], first[True]),
        "warm": ratio(warm[False], warm[True]),
    }


REWRITE = """(rewriter) => {
    const compiled = new WebAssembly.Module(rewriter);
    return (wasm) => {
        const began = performance.now();
        const { exports } = new WebAssembly.Instance(compiled);
        const address = exports.allocate(wasm.length);
        new Uint8Array(exports.memory.buffer).set(wasm, address);
        if (exports.rewrite_module(1)) throw new Error("refused");
        const length = exports.result_length();
        new Uint8Array(exports.memory.buffer, exports.result_address(), length).slice();
        return [performance.now() - began, length];
    };
}"""


async def rewriting():
    """How fast each file is rewritten, the first time and later, and by how much it grows."""
    rewriter = importlib.resources.files("unpanic").joinpath("rewriter.wasm").read_bytes()
    result = {}
    for name, (_, wasm, _) in SUBJECTS.items():
        if name.startswith("kernel ") and name != "kernel sort":
            continue
        content = await (await pyfetch(wasm)).bytes()
        rewrite = run_js(REWRITE)(to_js(rewriter))
        runs = [rewrite(to_js(content)).to_py() for _ in range(4)]
        megabytes = len(content) / 1e6
        result[name.replace(" sort", "s")] = {
            "megabytes": megabytes,
            "first": megabytes / runs[0][0] * 1000,
            "later": megabytes / statistics.median(run[0] for run in runs[1:]) * 1000,
            "growth": runs[0][1] / len(content),
        }
    return result


REPEAT = """(add, times) => {
    const began = performance.now();
    for (let call = 0; call < times; call++) add(2, 3);
    return ((performance.now() - began) * 1e6) / times;
}"""


async def calls(times):
    """Nanoseconds that a call with two ints takes, and how many more into the module that can be stopped.

    JavaScript makes the calls, through the function that Python calls: what Python takes would hide the difference.
    """
    repeat = run_js(REPEAT)
    plain = (await unpanic.load(BANK)).add.func
    stoppable = (await unpanic.load(BANK, timeout=math.inf)).add.func

    def per_call_ns(function, times):
        return repeat(function, times)

    for function in (plain, stoppable):
        per_call_ns(function, times)
    before, dearer = [], []
    for number in range(41):
        pair = [plain, stoppable] if number % 2 else [stoppable, plain]
        taken = [per_call_ns(function, times) for function in pair]
        one, other = taken if number % 2 else reversed(taken)
        before.append(one)
        dearer.append(other - one)
    quarters = statistics.quantiles(dearer)
    fastest = min(one + more for one, more in zip(before, dearer, strict=True)) - min(before)
    return {
        "ns": statistics.median(before),
        "median": quarters[1],
        "low": quarters[0],
        "high": quarters[2],
        "fastest": fastest,
    }


LOOPS = "/fixtures/loops/pkg/abort/loops.js"
STOPS = 50
ENDLESS = {
    "loop": lambda loops: loops.spin(),
    "loops in a loop": lambda loops: loops.nested(),
    "recursion": lambda loops: loops.fibonacci(80),
    "iterator": lambda loops: loops.iterate(),
    "calls of a JavaScript function": lambda loops: loops.call_for_ever(run_js("() => Math.random()")),
    "calls of a slow one": lambda loops: loops.call_for_ever(run_js("() => JSON.stringify(new Array(2000).fill(7))")),
}


async def lateness():
    """How many milliseconds after its deadline a call raises, for the caller: the recovery counts with it."""
    result = {}
    for name, spin in ENDLESS.items():
        loops = await unpanic.load(LOOPS, timeout=math.inf)
        late = []
        for number in range(STOPS):
            # The module comes from cheap work, for which it looks at the clock rarely.
            loops.count_to(3_000_000)
            seconds = 0.02 + 0.001 * (number % 20)
            began = time.perf_counter()
            try:
                with unpanic.deadline(seconds):
                    spin(loops)
            except unpanic.CallTimeout:
                late.append((time.perf_counter() - began - seconds) * 1000)
        unpanic.unload(loops)
        deciles = statistics.quantiles(late, n=10)
        result[name] = {"median": deciles[4], "high": deciles[8], "most": max(late), "stops": len(late)}
    return result


async def main(scale):
    return json.dumps(
        {
            "calls": await calls(int(200_000 * scale)),
            "lateness": await lateness(),
            "rewriting": await rewriting(),
            "work": {name: await compare(*subject) for name, subject in SUBJECTS.items()},
        }
    )
