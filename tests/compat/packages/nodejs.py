"""Packages that wasm-bindgen built for Node: CommonJS, which reads its Wasm file at once."""

import json

from tests.compat.injected import decoding_throws
from tests.compat.package import Package
from tests.compat.packages.bundler import lz4_crash, lz4_use, photon_ask, photon_keep, photon_use
from tests.compat.packages.languages import nested, swc_crash, swc_use


def stripped_use(module):
    return module.transform_sync("const x: number = 1;", {"mode": "strip-only"})["code"]


def stripped_crash(module):
    module.transform_sync(nested("(", ")"), {"mode": "strip-only"})


def photon_crash(module):
    module.PhotonImage.new_from_byteslice(b"no picture")


def prisma_use(module):
    schema = [["a.prisma", "model A {\n id Int @id\n}"]]
    document = {"textDocument": {"uri": "file:/a.prisma"}, "options": {"tabSize": 2, "insertSpaces": True}}
    return json.loads(module.format(json.dumps(schema), json.dumps(document)))[0][1]


def prisma_crash(module):
    module.get_config("no JSON")


def oxc_use(module):
    program = module.parse_sync("let a = 1 + 2", {"sourceFilename": "a.js"}).program
    return [statement["type"] for statement in program["body"]]


def oxc_crash(module):
    module.parse_sync("let a", {"sourceFilename": "a.css"})


def ini_use(module):
    section = module.parse_to_json("[a]\nb = c\n")["body"][0]
    return [section["name"], section["body"][0]["value"]]


def ini_crash(module):
    decoding_throws(module.parse_to_json, "[a]\nb = c\n")


def ywasm_document(module, text):
    document = module.YDoc({})
    document.get_text("t").insert(0, text, None, None)
    return document


def ywasm_use(module):
    copy = module.YDoc({})
    module.apply_update(copy, module.encode_state_as_update(ywasm_document(module, "hello")), None)
    return copy.get_text("t").to_string(None)


def ywasm_crash(module):
    ywasm_document(module, "hello").get_text("t").delete(2, 99, None)


def ywasm_keep(module):
    return ywasm_document(module, "kept")


def ywasm_ask(_module, document):
    return document.get_text("t").to_string(None)


PACKAGES = [
    Package(
        folder="@swc/wasm",
        target="nodejs",
        glue="wasm.js",
        wasm="wasm_bg.wasm",
        takes_long=True,
        use=swc_use,
        gives="var x = 1;\n",
        crash=swc_crash,
        how="a syntax tree without positions",
        raises=("RustPanic",),
    ),
    Package(
        folder="@swc/wasm-typescript",
        target="nodejs",
        glue="wasm.js",
        wasm="wasm.js",
        use=stripped_use,
        gives="const x         = 1;",
        crash=stripped_crash,
        how="TypeScript nested 20,000 deep",
        raises=("StackOverflow", "Trap"),
    ),
    Package(
        folder="@silvia-odwyer/photon-node",
        target="nodejs",
        glue="photon_rs.js",
        wasm="photon_rs_bg.wasm",
        use=photon_use,
        gives=[2, [155, 155, 155, 100]],
        crash=photon_crash,
        how="bytes that are no picture",
        raises=("RustPanic",),
        keep=photon_keep,
        ask=photon_ask,
        answers=([3, 5], [3, 5]),
    ),
    Package(
        folder="@prisma/prisma-schema-wasm",
        target="nodejs",
        glue="src/prisma_schema_build.js",
        wasm="src/prisma_schema_build_bg.wasm",
        use=prisma_use,
        gives="model A {\n  id Int @id\n}\n",
        crash=prisma_crash,
        how="parameters that are not JSON",
        # The panic hook calls a global that the rest of the package defines.
        raises=("ForeignException",),
    ),
    Package(
        folder="@oxc-parser/wasm",
        target="nodejs",
        glue="node/oxc_parser_wasm.js",
        wasm="node/oxc_parser_wasm_bg.wasm",
        use=oxc_use,
        gives=["VariableDeclaration"],
        crash=oxc_crash,
        how="a file name that ends in .css",
        raises=("Trap",),
    ),
    Package(
        folder="@one-ini/wasm",
        target="nodejs",
        glue="one_ini.js",
        wasm="one_ini_bg.wasm",
        use=ini_use,
        gives=["a", "c"],
        crash=ini_crash,
        how="injected: reading a text throws",
        raises=("ForeignException",),
    ),
    Package(
        folder="lz4-wasm-nodejs",
        target="nodejs",
        glue="lz4_wasm_nodejs.js",
        wasm="lz4_wasm_nodejs_bg.wasm",
        use=lz4_use,
        gives=[True, True],
        crash=lz4_crash,
        how="a text that claims 4 GiB",
        raises=("Trap",),
    ),
    Package(
        folder="ywasm",
        target="nodejs",
        glue="ywasm.js",
        wasm="ywasm_bg.wasm",
        use=ywasm_use,
        gives="hello",
        crash=ywasm_crash,
        how="more characters deleted than there are",
        raises=("RustPanic",),
        keep=ywasm_keep,
        ask=ywasm_ask,
        answers=("kept", ""),
    ),
]
