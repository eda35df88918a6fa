"""Packages for documents."""

from tests.compat.package import Package

STYLE = """\
<style xmlns="http://purl.org/net/xbiblio/csl" version="1.0" class="note">
  <info><id>style</id><title>A style</title><updated>2012-01-01T00:00:00Z</updated></info>
  {macro}
  <citation><layout>{citation}</layout></citation>
</style>
"""
RECURSIVE = '<text macro="m"/>'


def citeproc_cluster(module, style):
    driver = module.Driver({"style": style, "format": "plain"})
    driver.insert_reference({"id": "book", "type": "book", "title": "On Rust"})
    driver.insert_cluster({"id": "1", "cites": [{"id": "book"}]})
    driver.set_cluster_order([{"id": "1", "note": 1}])
    return driver.built_cluster("1")


def citeproc_use(module):
    return citeproc_cluster(module, STYLE.format(macro="", citation='<text variable="title"/>'))


def citeproc_crash(module):
    macro = f'<macro name="m">{RECURSIVE}</macro>'
    citeproc_cluster(module, STYLE.format(macro=macro, citation=RECURSIVE))


def markdown_use(module):
    return module.convert("<h1>Rust</h1><p>in <b>Python</b></p>").content


def markdown_crash(module):
    module.convert("<div>" * 20_000)


def inline_use(module):
    return module.inline("<style>p { color: red }</style><p>text</p>", None)


def inline_crash(module):
    module.inline("<style>" + ":not(" * 20_000 + ")" * 20_000 + " { color: red }</style><p>text</p>", None)


async def typst_compiler(module, source):
    builder = module.TypstCompilerBuilder()
    builder.set_dummy_access_model()
    compiler = await builder.build()
    compiler.add_source("/main.typ", source)
    return compiler


async def typst_use(module):
    import json

    compiler = await typst_compiler(module, "#metadata(6 * 7) <answer>")
    return json.loads(compiler.query("/main.typ", None, "<answer>", "value"))


async def typst_crash(module):
    compiler = await typst_compiler(module, "#" + "(" * 20_000 + ")" * 20_000)
    compiler.get_ast("/main.typ")


async def typst_keep(module):
    return await typst_compiler(module, "kept")


def typst_ask(_module, compiler):
    return len(compiler.get_loaded_fonts())


PACKAGES = [
    Package(
        folder="@citeproc-rs/wasm",
        glue="_web/citeproc_rs_wasm.js",
        wasm="_web/citeproc_rs_wasm_bg.wasm",
        use=citeproc_use,
        gives="On Rust",
        crash=citeproc_crash,
        how="a style with a macro that calls itself",
        raises=("RustPanic",),
    ),
    Package(
        folder="@kreuzberg/html-to-markdown-wasm",
        glue="pkg/web/html_to_markdown_wasm.js",
        wasm="pkg/web/html_to_markdown_wasm_bg.wasm",
        use=markdown_use,
        gives="# Rust\n\nin **Python**\n",
        crash=markdown_crash,
        how="HTML nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@css-inline/css-inline-wasm",
        glue="index.mjs",
        wasm="index_bg.wasm",
        use=inline_use,
        gives='<html><head></head><body><p style="color: red;">text</p></body></html>',
        crash=inline_crash,
        how="a selector nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@myriaddreamin/typst-ts-web-compiler",
        glue="pkg/typst_ts_web_compiler.mjs",
        wasm="pkg/typst_ts_web_compiler_bg.wasm",
        use=typst_use,
        gives=[42],
        crash=typst_crash,
        how="a formula nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
        keep=typst_keep,
        ask=typst_ask,
        answers=(0, "StaleObjectError"),
    ),
]
