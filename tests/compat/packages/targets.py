"""Packages for the rarer targets: deno, no-modules, experimental-nodejs-module."""

from tests.compat.injected import decoding_throws
from tests.compat.package import Package


def jieba_use(module):
    return list(module.cut("我们热爱自然语言处理", True))


def jieba_crash(module):
    module.add_word("", 0, "")


def simplecc_use(module):
    return module.simplecc("繁體字", "t2s")


def regex_use(module):
    mails = module.RRegex(r"(\w+)@(\w+)")
    return [mails.find("x a@b y")["value"], mails.replace_all("a@b", "$2")]


def simplecc_crash(module):
    decoding_throws(module.simplecc, "x", "no such dictionary")


def regex_crash(module):
    decoding_throws(module.RRegex("a+").find, "banana")


def regex_keep(module):
    return module.RRegex("a+")


def regex_ask(_module, regex):
    return regex.is_match("banana")


def xlsx_use(module):
    workbook = module.Workbook()
    sheet = workbook.add_worksheet()
    sheet.write(0, 0, "hello")
    return [sheet.name(), bytes(workbook.save_to_buffer_sync()[:2]).decode()]


def xlsx_crash(module):
    chart = module.Chart(module.ChartType.Line)
    chart.combine(chart)


def xlsx_keep(module):
    return module.Workbook().add_worksheet().set_name("kept")


def xlsx_ask(_module, sheet):
    return sheet.name()


PACKAGES = [
    Package(
        folder="jieba-wasm",
        target="deno",
        glue="pkg/deno/jieba_rs_wasm.js",
        wasm="pkg/deno/jieba_rs_wasm_bg.wasm",
        takes_long=True,
        use=jieba_use,
        gives=["我们", "热爱", "自然语言", "处理"],
        crash=jieba_crash,
        how="an empty word",
        raises=("Trap",),
    ),
    Package(
        folder="simplecc-wasm",
        target="deno",
        glue="pkg/deno/simplecc_wasm.js",
        wasm="pkg/deno/simplecc_wasm_bg.wasm",
        use=simplecc_use,
        gives="繁体字",
        crash=simplecc_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
    ),
    Package(
        folder="rregex",
        target="no-modules",
        glue="lib/standalone.js",
        wasm="lib/rregex.wasm",
        use=regex_use,
        gives=["a@b", "b"],
        crash=regex_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
        keep=regex_keep,
        ask=regex_ask,
        answers=(True, True),
    ),
    Package(
        folder="wasm-xlsxwriter",
        target="experimental-nodejs-module",
        glue="nodejs/wasm_xlsxwriter.js",
        wasm="nodejs/wasm_xlsxwriter_bg.wasm",
        use=xlsx_use,
        gives=["Sheet1", "PK"],
        crash=xlsx_crash,
        how="a chart combined with itself",
        raises=("RustPanic",),
        keep=xlsx_keep,
        ask=xlsx_ask,
        answers=("kept", "StaleObjectError"),
    ),
]
